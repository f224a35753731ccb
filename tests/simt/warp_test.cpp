#include <bit>
#include <cmath>

#include "tests/simt/support.hpp"

namespace moe {
namespace {

using namespace testing;

constexpr unsigned kMasks[] = {0xffffffff, 0x1, 0x80000000, 0x55555555, 0x0000ffff, 0x00ff00f0, 0x7ffffffe};
constexpr unsigned kFull = 0xffffffff;

enum class Kind { index, up, down, exclusive_or };

__global__ void shuffle_kernel(unsigned* out, unsigned mask, Kind kind, int by, int width) {
  const unsigned lane = threadIdx.x % 32, value = 1000 + threadIdx.x;
  if (!(mask >> lane & 1)) return;
  unsigned got = 0;
  if (kind == Kind::index) got = __shfl_sync(mask, value, by, width);
  if (kind == Kind::up) got = __shfl_up_sync(mask, value, by, width);
  if (kind == Kind::down) got = __shfl_down_sync(mask, value, by, width);
  if (kind == Kind::exclusive_or) got = __shfl_xor_sync(mask, value, by, width);
  out[threadIdx.x] = got;
}

// The PTX manual's pseudocode for shfl.sync: bounds from c, the lane read from a and b.
int lane_read(Kind kind, int lane, int by, int width) {
  const int segment = lane / width * width, last = segment + width - 1;
  int j = lane;
  if (kind == Kind::index) j = segment + by % width;
  if (kind == Kind::up) j = lane - by < segment ? lane : lane - by;
  if (kind == Kind::down) j = lane + by > last ? lane : lane + by;
  if (kind == Kind::exclusive_or) j = (lane ^ by) > last ? lane : lane ^ by;
  return j;
}

void expect_shuffled(Context& ctx, unsigned mask, Kind kind, int by, int width) {
  SCOPED_TRACE(concat("mask ", mask, " kind ", static_cast<int>(kind), " by ", by, " width ", width));
  std::vector<unsigned> out(64, 7);
  launch(ctx, shuffle_kernel, 1, 64, 0, out.data(), mask, kind, by, width);
  for (int i = 0; i < 64; ++i) {
    const int source = lane_read(kind, i % 32, by, width);
    unsigned expected =
        mask >> source & 1 ? 1000 + i / 32 * 32 + source : ~0u;  // not in the mask: all bits set
    if (!(mask >> i % 32 & 1)) expected = 7;
    ASSERT_EQ(out[i], expected) << "thread " << i;
  }
}

TEST(Shuffle, ReadsTheLaneOfTheManualForEveryMaskAndWidth) {
  Context ctx;
  for (const unsigned mask : kMasks)
    for (const Kind kind : {Kind::index, Kind::up, Kind::down, Kind::exclusive_or})
      for (const int width : {1, 2, 4, 8, 16, 32})
        for (const int by : {0, 1, 2, 3, 7, 16, 31}) expect_shuffled(ctx, mask, kind, by, width);
}

TEST(Shuffle, DoesNotDependOnTheOrderOfThreads) {
  every_order([](Context& ctx) {
    for (const unsigned mask : kMasks) expect_shuffled(ctx, mask, Kind::exclusive_or, 5, 32);
  });
}

template <class T>
__global__ void swap_neighbours(T* x) {
  x[threadIdx.x] = __shfl_xor_sync(kFull, x[threadIdx.x], 1);
}

template <class T>
void expect_swapped(Context& ctx) {
  std::vector<T> x(32);
  for (int i = 0; i < 32; ++i) x[i] = static_cast<T>(-1.5 * i);
  launch(ctx, swap_neighbours<T>, 1, 32, 0, x.data());
  for (int i = 0; i < 32; ++i) EXPECT_EQ(x[i], static_cast<T>(-1.5 * (i ^ 1)));
}

TEST(Shuffle, MovesFloatsDoublesAndLongIntegers) {
  Context ctx;
  expect_swapped<float>(ctx);
  expect_swapped<double>(ctx);
  expect_swapped<int>(ctx);
  expect_swapped<long long>(ctx);
}

__global__ void split_sum(int* out) {
  const unsigned mask = threadIdx.x < 16 ? 0x0000ffff : 0xffff0000;
  int sum = static_cast<int>(threadIdx.x);
  if (threadIdx.x < 16)  // the halves go through different numbers of operations
    for (int d = 8; d > 0; d /= 2) sum += __shfl_xor_sync(mask, sum, d);
  else
    for (int d = 8; d > 2; d /= 2) sum += __shfl_xor_sync(mask, sum, d);
  __syncwarp();
  out[threadIdx.x] = sum;
}

TEST(Shuffle, DisjointMasksGoTheirOwnWays) {
  every_order([](Context& ctx) {
    Output<int> out(32);
    launch(ctx, split_sum, 1, 32, 0, out.data());
    for (int i = 0; i < 16; ++i) EXPECT_EQ(out.data()[i], 120);
    for (int i = 16; i < 32; ++i) {
      const int first = 16 + i % 4;
      EXPECT_EQ(out.data()[i], 4 * first + 4 + 8 + 12);
    }
  });
}

__global__ void sum_of_few(int* out, int stay) {
  if (static_cast<int>(threadIdx.x) >= stay) return;
  out[threadIdx.x] = __popc(__ballot_sync(kFull, 1));
}

// CUDA: all threads of the mask that have not ended take part. A last warp of 8 lanes counts as 24 that ended.
TEST(Shuffle, LanesThatEndedAreNotWaitedFor) {
  for (const int stay : {1, 31, 40})
    every_order([&](Context& ctx) {
      Output<int> out(stay);
      launch(ctx, sum_of_few, 1, 40, 0, out.data(), stay);
      for (int i = 0; i < stay; ++i) EXPECT_EQ(out.data()[i], std::min(32, stay - i / 32 * 32));
    });
}

__global__ void vote(unsigned* out, unsigned mask, unsigned yes) {
  const unsigned lane = threadIdx.x;
  if (!(mask >> lane & 1)) return;
  const int mine = (yes >> lane & 1) * 4;  // any number but 0 is a yes
  out[lane] = __ballot_sync(mask, mine);
  out[32 + lane] = __any_sync(mask, mine) != 0;
  out[64 + lane] = __all_sync(mask, mine) != 0;
}

TEST(Vote, CountsTheLanesOfTheMask) {
  every_order([](Context& ctx) {
    for (const unsigned mask : kMasks)
      for (const unsigned yes : {0u, 1u, 0xffffffffu, 0x55555555u, 0x80000000u}) {
        std::vector<unsigned> out(96, 9);
        launch(ctx, vote, 1, 32, 0, out.data(), mask, yes);
        for (int i = 0; i < 32; ++i) {
          const bool takes_part = mask >> i & 1;
          ASSERT_EQ(out[i], takes_part ? (mask & yes) : 9);
          ASSERT_EQ(out[32 + i], takes_part ? (mask & yes) != 0 : 9);
          ASSERT_EQ(out[64 + i], takes_part ? (mask & yes) == mask : 9);
        }
      }
  });
}

__global__ void reduce_all(int* out) {
  const int mine = static_cast<int>(threadIdx.x) * 3 - 40;
  const int sum = __reduce_add_sync(kFull, mine), least = __reduce_min_sync(kFull, mine);
  out[threadIdx.x] = sum;
  out[32 + threadIdx.x] = least;
  out[64 + threadIdx.x] = __reduce_max_sync(kFull, mine);
}

TEST(Reduce, AddsAndFindsTheLeastAndTheGreatest) {
  every_order([](Context& ctx) {
    Output<int> out(96);
    launch(ctx, reduce_all, 1, 32, 0, out.data());
    for (int i = 0; i < 32; ++i) {
      EXPECT_EQ(out.data()[i], 3 * 31 * 16 - 40 * 32);
      EXPECT_EQ(out.data()[32 + i], -40);
      EXPECT_EQ(out.data()[64 + i], 53);
    }
  });
}

// Only __syncwarp stands between writing and reading, and it is reached on two lines.
__global__ void pass_on(int* out) {
  __shared__ int cell[32];
  if (threadIdx.x % 2) {
    cell[threadIdx.x] = 1;
    __syncwarp();
  } else {
    cell[threadIdx.x] = 2;
    __syncwarp();
  }
  out[threadIdx.x] = cell[threadIdx.x ^ 1];
}

TEST(SyncWarp, OrdersSharedMemoryWithinAWarp) {
  every_order([](Context& ctx) {
    Output<int> out(32);
    launch(ctx, pass_on, 1, 32, 0, out.data());
    for (int i = 0; i < 32; ++i) EXPECT_EQ(out.data()[i], i % 2 ? 2 : 1);
  });
}

constexpr int kStrangerLine = __LINE__ + 2;
__global__ void stranger(int* out) {
  out[threadIdx.x] = __shfl_sync(0x0000ffff, 1, 0);  // lanes 16 to 31 call it as well
}

TEST(WarpErrors, ALaneOutsideItsOwnMaskIsNamed) {
  every_order([](Context& ctx) {
    std::vector<int> out(32);
    const std::string error = error_of([&] { launch(ctx, stranger, 1, 32, 0, out.data()); });
    EXPECT_TRUE(says(error, {line_of(kStrangerLine), "__shfl_sync: lane ", "is not in its own mask"}));
  });
}

constexpr int kEvenLine = __LINE__ + 4;
__global__ void two_lines(int* out) {
  int got;
  if (threadIdx.x % 2 == 0)
    got = __shfl_sync(kFull, 1, 0);
  else
    got = __shfl_xor_sync(kFull, 1, 1);
  out[threadIdx.x] = got;
}

TEST(WarpErrors, LanesInDifferentOperationsAreNamedWithBothLines) {
  every_order([](Context& ctx) {
    std::vector<int> out(32);
    const std::string error = error_of([&] { launch(ctx, two_lines, 1, 32, 0, out.data()); });
    EXPECT_TRUE(says(error, {line_of(kEvenLine + 2), "(1, 0, 0)", "__shfl_xor_sync", "(0, 0, 0)",
                             "__shfl_sync", line_of(kEvenLine)}));
  });
}

constexpr int kAbsentLine = __LINE__ + 3;
__global__ void wrong_mask(int* out) {
  if (threadIdx.x < 16)
    out[threadIdx.x] = __shfl_down_sync(kFull, 1, 1);
  else
    __syncthreads();
}

TEST(WarpErrors, AMaskThatNamesAbsentLanesIsADeadlock) {
  every_order([](Context& ctx) {
    std::vector<int> out(32);
    const std::string error = error_of([&] { launch(ctx, wrong_mask, 1, 32, 0, out.data()); });
    EXPECT_TRUE(
        says(error, {"deadlock", "threads (0, 0, 0) to (15, 0, 0) wait in __shfl_down_sync",
                     line_of(kAbsentLine), "threads (16, 0, 0) to (31, 0, 0) wait in __syncthreads"}));
  });
}

}  // namespace
}  // namespace moe
