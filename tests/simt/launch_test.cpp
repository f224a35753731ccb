#include <algorithm>
#include <cmath>

#include "tests/simt/support.hpp"

namespace moe {
namespace {

using namespace testing;

__global__ void where_am_i(unsigned* out) {
  const dim3 b = blockDim, g = gridDim;
  const unsigned block = blockIdx.x + g.x * (blockIdx.y + g.y * blockIdx.z);
  const unsigned thread = threadIdx.x + b.x * (threadIdx.y + b.y * threadIdx.z);
  atomicAdd(&out[block * b.x * b.y * b.z + thread], 1);
}

TEST(Launch, RunsEveryThreadOfEveryBlockOnce) {
  for (const dim3 grid : {dim3(1), dim3(7), dim3(3, 2, 4)})
    for (const dim3 block : {dim3(1), dim3(33), dim3(5, 3, 2), dim3(1024)})
      every_order([&](Context& ctx) {
        std::vector<unsigned> out(grid.count() * block.count());
        launch(ctx, where_am_i, grid, block, 0, out.data());
        EXPECT_EQ(out, std::vector<unsigned>(out.size(), 1));
      });
}

__global__ void nothing() {}

TEST(Launch, RefusesShapesThatNoDeviceTakes) {
  Context ctx;
  const int line = __LINE__ + 1;
  EXPECT_TRUE(says(error_of([&] { launch(ctx, nothing, 1, 1025, 0); }), {line_of(line), "1025 threads"}));
  EXPECT_TRUE(says(error_of([&] { launch(ctx, nothing, 1, dim3(32, 33), 0); }), {"1056 threads"}));
  EXPECT_TRUE(says(error_of([&] { launch(ctx, nothing, 1, dim3(1, 1, 65), 0); }), {"64 along z"}));
  EXPECT_TRUE(says(error_of([&] { launch(ctx, nothing, 1, 0, 0); }), {"0 threads"}));
  EXPECT_TRUE(says(error_of([&] { launch(ctx, nothing, 0, 32, 0); }), {"grid (0, 1, 1)"}));
  EXPECT_TRUE(says(error_of([&] { launch(ctx, nothing, dim3(1, 65536), 32, 0); }), {"grid (1, 65536, 1)"}));
  EXPECT_TRUE(says(error_of([&] { launch(ctx, nothing, 1, 32, kMaxSharedBytes + 1); }), {"shared memory"}));
  launch(ctx, nothing, dim3(1, 65535), dim3(1, 1, 64), kMaxSharedBytes);
}

__global__ void reverse_block(int* out) {
  MOE_DYNAMIC_SHARED(int, mine);
  __shared__ int fixed[64];
  const unsigned i = threadIdx.x, n = blockDim.x;
  mine[i] = static_cast<int>(blockIdx.x * n + i);
  fixed[i] = -mine[i];
  __syncthreads();
  out[blockIdx.x * n + i] = mine[n - 1 - i] - fixed[n - 1 - i];
}

TEST(SharedMemory, BelongsToOneBlock) {
  every_order([](Context& ctx) {
    Output<int> out(50 * 64);
    launch(ctx, reverse_block, 50, 64, 64 * sizeof(int), out.data());
    for (int i = 0; i < 50 * 64; ++i) ASSERT_EQ(out.data()[i], 2 * (i / 64 * 64 + 63 - i % 64));
  });
}

__global__ void read_unwritten(float* out) {
  MOE_DYNAMIC_SHARED(float, x);
  out[blockIdx.x * blockDim.x + threadIdx.x] = x[threadIdx.x];
  x[threadIdx.x] = 1;
}

TEST(SharedMemory, HoldsNaNBeforeItIsWrittenInEveryBlock) {
  Context ctx;
  std::vector<float> out(4 * 33);
  launch(ctx, read_unwritten, 4, 33, 33 * sizeof(float), out.data());
  for (const float x : out) EXPECT_TRUE(std::isnan(x));
}

// What each thread reads depends on who ran before it: wrong, and right in the order 0, 1, 2, ...
__global__ void racy(int* out) {
  __shared__ int last;
  if (threadIdx.x == 0) last = 0;
  __syncthreads();
  out[threadIdx.x] = last;
  last = static_cast<int>(threadIdx.x) + 1;
}

TEST(Orders, RandomOnesShowWhatDependsOnTheOrder) {
  std::vector<std::vector<int>> seen;
  for (const std::uint64_t order : {0, 1, 2, 3, 1}) {
    Context ctx;
    ctx.emulated_order = order;
    std::vector<int> out(32);
    launch(ctx, racy, 1, 32, 0, out.data());
    seen.push_back(out);
  }
  for (int i = 0; i < 32; ++i) EXPECT_EQ(seen[0][i], i);
  EXPECT_NE(seen[1], seen[0]);
  EXPECT_NE(seen[2], seen[0]);
  EXPECT_NE(seen[2], seen[1]);
  EXPECT_NE(seen[3], seen[2]);
  EXPECT_EQ(seen[4], seen[1]) << "the same seed is the same order";
}

__global__ void fail_in_block(int bad) {
  if (static_cast<int>(blockIdx.x) >= bad && threadIdx.x == 1) return;
  if (static_cast<int>(blockIdx.x) >= bad && threadIdx.x == 0) __syncwarp(0x2);
  __syncthreads();
}

TEST(Launch, AnErrorInOneBlockEndsTheLaunchAndTheNextOneWorks) {
  every_order([](Context& ctx) {
    EXPECT_TRUE(says(error_of([&] { launch(ctx, fail_in_block, 20, 64, 0, 13); }), {"own mask, block (1"}));
    launch(ctx, fail_in_block, 20, 64, 0, 20);
  });
}

__global__ void deep(int* out, int levels) {
  volatile char frame[256];
  frame[levels % 256] = 1;
  if (levels == 0)
    __syncthreads();
  else
    deep(out, levels - 1);
  out[threadIdx.x] = frame[levels % 256];
}

TEST(Launch, AThreadMayWaitDeepInItsCalls) {
  every_order([](Context& ctx) {
    Output<int> out(128);
    launch(ctx, deep, 1, 128, 0, out.data(), 40);
    EXPECT_TRUE(close(out, std::vector<int>(128, 1)));
  });
}

}  // namespace
}  // namespace moe
