// What only a GPU can show. Without one these are reported as skipped; the kernels themselves are tested on every device,
// a GPU included where there is one (tests/simt).
#include <gtest/gtest.h>

#include <new>

#include "kernels/base/copy.hpp"
#include "kernels/gemm/gemm.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/numeric.hpp"
#include "tests/support/on_device.hpp"

namespace moe {
namespace {

using namespace testing;

TEST(Gpu, AContextKnowsWhatItsCodeWasCompiledFor) {
  MOE_SKIP_WITHOUT_GPU();
  Context ctx(*a_gpu()), limited({.kind = DeviceKind::cuda, .index = a_gpu()->index, .sm = 75});
  EXPECT_EQ(ctx.device.sm, gpus().gpus[static_cast<std::size_t>(a_gpu()->index)].code);
  EXPECT_EQ(limited.device.sm, 75);
}

TEST(Gpu, ContextsHaveStreamsOfTheirOwn) {
  MOE_SKIP_WITHOUT_GPU();
  Context a(*a_gpu()), b(*a_gpu());
  EXPECT_NE(a.stream->handle(), nullptr);
  EXPECT_NE(a.stream->handle(), b.stream->handle());
}

TEST(Gpu, TooMuchMemoryIsBadAllocAndHarmsNothing) {
  MOE_SKIP_WITHOUT_GPU();
  Context ctx(*a_gpu());
  EXPECT_THROW(ctx.allocator->allocate(std::size_t{1} << 50), std::bad_alloc);
  OnDevice<float> x(ctx, std::vector<float>{1, 2});
  EXPECT_EQ(x.vector(), (std::vector<float>{1, 2}));
}

TEST(Gpu, ANumberBeyondTheLastIsMissing) {
  MOE_SKIP_WITHOUT_GPU();
  EXPECT_THROW(Context({.kind = DeviceKind::cuda, .index = 1000}), UserError);
}

TEST(Gpu, EveryProductIsExactOnIntegersAndTheSameEveryTime) {
  MOE_SKIP_WITHOUT_GPU();
  Context ctx(*a_gpu()), cpu;
  const GemmShape s = gemm_shape(129, 65, 257, Transpose::no, Transpose::yes);
  const auto a = random_integers<float>(s.M * s.K, 4, 1), b = random_integers<float>(s.N * s.K, 4, 2);
  std::vector<float> want(static_cast<std::size_t>(s.M * s.N));
  gemm<float>(cpu, want.data(), a.data(), b.data(), s);
  int ran = 0;
  for (const auto& version : gemm<float>.versions()) {
    if (version.device != DeviceKind::cuda || version.min_sm > ctx.device.sm) continue;
    SCOPED_TRACE(version.name);
    ++ran;
    OnDevice<float> da(ctx, a), db(ctx, b);
    for (int time = 0; time < 3; ++time) {
      OnDevice<float> dc(ctx, s.M * s.N);
      version.function(ctx, dc, da, db, s);
      EXPECT_TRUE(close(dc.vector(), want));
    }
  }
  EXPECT_GE(ran, 2);
}

}  // namespace
}  // namespace moe
