// The emulated cp.async: its bytes come with the wait that covers their group, and nothing can be relied on before.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/base/mma.cuh"
#include "tests/simt/support.hpp"

namespace moe {
namespace {

using namespace testing;

// Two groups under way. What shared memory holds: before any wait, after the first group's, after all.
__global__ void two_groups(float* out, const float* x) {
  MOE_DYNAMIC_SHARED(float, tile);
  const unsigned i = threadIdx.x, n = blockDim.x;
  for (unsigned j = i; j < 8 * n; j += n) tile[j] = -1;
  __syncthreads();
  cp_async<4>(tile + i, x + i);
  cp_async_commit_group();
  cp_async<16>(tile + 4 * n + 4 * i, x + 96 + 4 * i);
  cp_async_commit_group();
  const auto look = [&](unsigned stage) {
    out[(2 * stage) * n + i] = tile[i];
    out[(2 * stage + 1) * n + i] = tile[4 * n + 4 * i + 3];
  };
  look(0);
  cp_async_wait_group<1>();
  look(1);
  cp_async_wait_group<0>();
  look(2);
}

TEST(CpAsync, ComesWithTheWaitThatCoversItsGroup) {
  every_order([](Context& ctx) {
    for (const int n : {1, 32, 96}) {
      std::vector<float> x(96 + 4 * n), out(6 * n, -9.f);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
      launch(ctx, two_groups, 1, n, 8 * n * sizeof(float), out.data(), x.data());
      const auto first = [&](int stage, int i) { return out[2 * stage * n + i]; };
      const auto second = [&](int stage, int i) { return out[(2 * stage + 1) * n + i]; };
      for (int i = 0; i < n; ++i) {
        const float late = static_cast<float>(96 + 4 * i + 3);
        ASSERT_TRUE(std::isnan(first(0, i)) && std::isnan(second(0, i)));
        ASSERT_TRUE(first(1, i) == i && std::isnan(second(1, i)));
        ASSERT_TRUE(first(2, i) == i && second(2, i) == late);
      }
    }
  });
}

// The first block does not end its group: no wait covers it.
__global__ void open_group(float* out, const float* x) {
  MOE_DYNAMIC_SHARED(float, tile);
  tile[threadIdx.x] = -1;
  if (blockIdx.x == 0)
    cp_async<4>(tile + threadIdx.x, x + threadIdx.x);
  else
    cp_async_commit_group();
  cp_async_wait_group<0>();
  out[blockIdx.x * blockDim.x + threadIdx.x] = tile[threadIdx.x];
}

TEST(CpAsync, WithoutAnEndOfTheGroupNothingComesNotEvenToTheNextBlock) {
  every_order([](Context& ctx) {
    const std::vector<float> x(32, 7.f);
    for (int again = 0; again < 2; ++again) {
      std::vector<float> out(96, -9.f);
      launch(ctx, open_group, 3, 32, 32 * sizeof(float), out.data(), x.data());
      for (int i = 0; i < 96; ++i)
        EXPECT_TRUE(i < 32 ? std::isnan(out[i]) : out[i] == -1) << i << ": " << out[i];
    }
  });
}

// The second copy goes over what other threads may still read; it is under way until after the last barrier.
__global__ void copied_over(float* out, const float* x, bool barrier) {
  MOE_DYNAMIC_SHARED(float, tile);
  const unsigned i = threadIdx.x;
  tile[i] = 7;
  __syncthreads();
  out[i] = tile[63 - i];
  if (barrier) __syncthreads();
  cp_async<4>(tile + i, x + i);
  cp_async_commit_group();
  __syncthreads();
  cp_async_wait_group<0>();
}

TEST(CpAsync, SpoilsWhatOthersStillRead) {
  every_order([](Context& ctx) {
    const std::vector<float> x(64, 8.f);
    for (const bool barrier : {false, true}) {
      std::vector<float> out(64);
      launch(ctx, copied_over, 1, 64, 64 * sizeof(float), out.data(), x.data(), barrier);
      EXPECT_EQ(std::all_of(out.begin(), out.end(), [](float y) { return y == 7; }), barrier);
    }
  });
}

template <int kBytes>
__global__ void partial(unsigned char* out, const unsigned char* x) {
  MOE_DYNAMIC_SHARED(unsigned char, tile);
  const int valid = static_cast<int>(threadIdx.x);  // 0 .. kBytes
  for (int i = 0; i < 16; ++i) tile[16 * valid + i] = 99;
  cp_async<kBytes>(tile + 16 * valid, x, valid);
  cp_async_commit_group();
  cp_async_wait_group<0>();
  for (int i = 0; i < 16; ++i) out[16 * valid + i] = tile[16 * valid + i];
}

template <int kBytes>
void expect_zero_fill(Context& ctx) {
  alignas(16) unsigned char x[16];
  for (int i = 0; i < 16; ++i) x[i] = static_cast<unsigned char>(i + 1);
  std::vector<unsigned char> out(16 * (kBytes + 1));
  launch(ctx, partial<kBytes>, 1, kBytes + 1, 16 * (kBytes + 1), out.data(), x);
  for (int valid = 0; valid <= kBytes; ++valid)
    for (int i = 0; i < 16; ++i) {
      const int expected = i < valid ? i + 1 : i < kBytes ? 0 : 99;
      ASSERT_EQ(int{out[16 * valid + i]}, expected) << valid << " of " << kBytes << ", byte " << i;
    }
}

TEST(CpAsync, FillsUpWithZeros) {
  every_order([](Context& ctx) {
    expect_zero_fill<4>(ctx);
    expect_zero_fill<8>(ctx);
    expect_zero_fill<16>(ctx);
  });
}

constexpr int kAskewLine = __LINE__ + 3;
__global__ void askew(const float* x) {
  MOE_DYNAMIC_SHARED(float, tile);
  cp_async<16>(tile, x);
}

TEST(CpAsync, AnAddressThatIsNotAlignedIsNamed) {
  Context ctx;
  alignas(16) const float x[8] = {};
  const std::string error = error_of([&] { launch(ctx, askew, 1, 1, 16, x + 1); });
  EXPECT_TRUE(says(error, {line_of(kAskewLine), "cp.async from", "no multiple of 16"}));
}

}  // namespace
}  // namespace moe
