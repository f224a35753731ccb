// CUDA's small functions on the emulated device, one thread, values by hand.
#include <limits>

#include "tests/simt/support.hpp"

namespace moe {
namespace {

using namespace testing;

__global__ void integers_kernel(int* out, int x) {
  out[0] = __popc(static_cast<unsigned>(x));
  out[1] = __clz(x);
  out[2] = __ffs(x);
  out[3] = __float_as_int(__int_as_float(x));
  out[4] = __ldg(&x);
  __threadfence();
}

std::vector<int> integers_of(int x) {
  Context ctx;
  std::vector<int> out(5, -1);
  launch(ctx, integers_kernel, 1, 1, 0, out.data(), x);
  return out;
}

TEST(Intrinsics, CountBits) {
  EXPECT_EQ(integers_of(0), (std::vector<int>{0, 32, 0, 0, 0}));
  EXPECT_EQ(integers_of(1), (std::vector<int>{1, 31, 1, 1, 1}));
  EXPECT_EQ(integers_of(0x00f0'0100), (std::vector<int>{5, 8, 9, 0x00f0'0100, 0x00f0'0100}));
  EXPECT_EQ(integers_of(-1), (std::vector<int>{32, 0, 1, -1, -1}));
}

__global__ void floats_kernel(float* out) {
  out[0] = rsqrtf(16.f);
  out[1] = __int_as_float(0x3f80'0000);
  out[2] = static_cast<float>(__float_as_int(-0.f) == std::numeric_limits<int>::min());
  out[3] = static_cast<float>(warpSize);
}

TEST(Intrinsics, KeepBits) {
  Context ctx;
  std::vector<float> out(4);
  launch(ctx, floats_kernel, 1, 1, 0, out.data());
  EXPECT_EQ(out, (std::vector<float>{0.25f, 1.f, 1.f, 32.f}));
}

__global__ void bits_kernel(unsigned* all, unsigned* none, unsigned* before) {
  atomicOr(all, 1u << threadIdx.x);
  atomicAnd(none, ~(1u << threadIdx.x));
  if (threadIdx.x == 0) *before = atomicOr(before, 0u);
}

TEST(Intrinsics, AtomicBitsAreNotLost) {
  every_order([](Context& ctx) {
    unsigned all = 0, none = ~0u, before = 7;
    launch(ctx, bits_kernel, 1, 32, 0, &all, &none, &before);
    EXPECT_EQ(all, ~0u);
    EXPECT_EQ(none, 0u);
    EXPECT_EQ(before, 7u);
  });
}

}  // namespace
}  // namespace moe
