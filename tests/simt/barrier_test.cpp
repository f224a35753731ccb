#include "tests/simt/support.hpp"

namespace moe {
namespace {

using namespace testing;
using Ints = std::vector<int>;

// Each round, every thread reads what its neighbour wrote.
__global__ void rotate(int* out, int rounds) {
  __shared__ int ring[1024];
  const int n = static_cast<int>(blockDim.x), i = static_cast<int>(threadIdx.x);
  int mine = i;
  for (int r = 0; r < rounds; ++r) {
    ring[i] = mine;
    __syncthreads();
    mine = ring[(i + 1) % n];
    __syncthreads();
  }
  out[blockIdx.x * n + i] = mine;
}

TEST(Barrier, EveryThreadSeesWhatOthersWroteBeforeIt) {
  for (const int n : {1, 2, 31, 32, 33, 127, 129, 1024})
    every_order([&](Context& ctx) {
      Output<int> out(2 * n);
      launch(ctx, rotate, 2, n, 0, out.data(), 5);
      for (int i = 0; i < 2 * n; ++i) ASSERT_EQ(out.data()[i], (i % n + 5) % n) << i << " of " << n;
    });
}

__global__ void count_odd(int* out, int below) {
  const int odd = static_cast<int>(threadIdx.x) < below ? threadIdx.x % 2 : 0;
  const int count = __syncthreads_count(odd * 7);  // any number but 0 counts once
  const int all = __syncthreads_and(static_cast<int>(threadIdx.x) < below);
  const int any = __syncthreads_or(static_cast<int>(threadIdx.x) >= below);
  out[3 * threadIdx.x] = count;
  out[3 * threadIdx.x + 1] = all != 0;
  out[3 * threadIdx.x + 2] = any != 0;
}

TEST(Barrier, CountedFormsCountEveryThread) {
  for (const int below : {0, 1, 2, 32, 69, 70})
    every_order([&](Context& ctx) {
      Output<int> out(3 * 70);
      launch(ctx, count_odd, 1, 70, 0, out.data(), below);
      for (int i = 0; i < 70; ++i) {
        EXPECT_EQ(out.data()[3 * i], below / 2);
        EXPECT_EQ(out.data()[3 * i + 1], below == 70);
        EXPECT_EQ(out.data()[3 * i + 2], below < 70);
      }
    });
}

__global__ void leave_early(int* out, int stay) {
  if (static_cast<int>(threadIdx.x) >= stay) return;
  out[threadIdx.x] = __syncthreads_count(1);
}

TEST(Barrier, ThreadsThatEndedAreNotWaitedFor) {
  for (const int stay : {0, 1, 31, 32, 33, 63})
    every_order([&](Context& ctx) {
      Output<int> out(stay);
      launch(ctx, leave_early, 1, 64, 0, out.data(), stay);
      for (int i = 0; i < stay; ++i) EXPECT_EQ(out.data()[i], stay);
    });
}

constexpr int kDivergentLine = __LINE__ + 4;
__global__ void diverge(int first) {
  if (static_cast<int>(threadIdx.x) < first)
    // the next two lines are named in the report
    __syncthreads();
  else
    __syncthreads();
}

TEST(Barrier, DivergentBarriersAreReportedWithBothLines) {
  every_order([](Context& ctx) {
    const std::string error = error_of([&] { launch(ctx, diverge, 1, 64, 0, 40); });
    EXPECT_TRUE(says(error, {line_of(kDivergentLine + 2), "divergent barriers in block (0, 0, 0)",
                             "(40, 0, 0)", "__syncthreads", "(0, 0, 0)", line_of(kDivergentLine)}));
    launch(ctx, diverge, 1, 64, 0, 64);  // and the device goes on
  });
}

constexpr int kMixedLine = __LINE__ + 2;
__global__ void mixed() {
  threadIdx.x == 3 ? (void)__syncthreads_or(1) : __syncthreads();  // same line, other barrier
}

TEST(Barrier, FormsOfTheBarrierDoNotMix) {
  every_order([](Context& ctx) {
    const std::string error = error_of([&] { launch(ctx, mixed, 1, 8, 0); });
    EXPECT_TRUE(says(error, {line_of(kMixedLine), "(3, 0, 0)", "__syncthreads_or", "(0, 0, 0)"}));
  });
}

constexpr int kBarrierLine = __LINE__ + 4, kShuffleLine = __LINE__ + 6;
__global__ void half_at_barrier(int* out) {
  if (threadIdx.x >= 48) return;
  if (threadIdx.x < 16) {
    __syncthreads();
  } else if (threadIdx.x < 32) {
    out[threadIdx.x] = __shfl_sync(0xffffffff, 1, 0);
  }
  out[threadIdx.x] = 2;
}

TEST(Barrier, DeadlockNamesWhoWaitsWhere) {
  every_order([](Context& ctx) {
    Output<int> out(64);
    const std::string error = error_of([&] { launch(ctx, half_at_barrier, 1, 64, 0, out.data()); });
    EXPECT_TRUE(says(error, {line_of(kBarrierLine), "deadlock in block (0, 0, 0)",
                             "threads (0, 0, 0) to (15, 0, 0) wait in __syncthreads", line_of(kBarrierLine),
                             "threads (16, 0, 0) to (31, 0, 0) wait in __shfl_sync with mask 0xffffffff",
                             line_of(kShuffleLine), "threads (32, 0, 0) to (63, 0, 0) ended"}));
  });
}

}  // namespace
}  // namespace moe
