#include <algorithm>
#include <numeric>

#include "tests/simt/support.hpp"

namespace moe {
namespace {

using namespace testing;

constexpr int kBlocks = 40, kThreads = 65, kAll = kBlocks * kThreads;

struct Cells {
  int sum = 5, least = 5000, most = -5000;
  unsigned unsigned_sum = 0;
  unsigned long long wide = 0;
  float exact = 0;
};

__global__ void all_kinds(Cells* cells) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(&cells->sum, i);
  atomicSub(&cells->sum, 1);
  atomicMin(&cells->least, 17 - i);
  atomicMax(&cells->most, i - 17);
  atomicAdd(&cells->unsigned_sum, 2u);
  atomicAdd(&cells->wide, 1ull << 33);
  atomicAdd(&cells->exact, 1.f);
}

TEST(Atomics, NoUpdateIsLost) {
  every_order([](Context& ctx) {
    Cells cells;
    launch(ctx, all_kinds, kBlocks, kThreads, 0, &cells);
    EXPECT_EQ(cells.sum, 5 + kAll * (kAll - 1) / 2 - kAll);
    EXPECT_EQ(cells.least, 17 - (kAll - 1));
    EXPECT_EQ(cells.most, kAll - 18);
    EXPECT_EQ(cells.unsigned_sum, 2u * kAll);
    EXPECT_EQ(cells.wide, (1ull << 33) * kAll);
    EXPECT_EQ(cells.exact, float(kAll));
  });
}

__global__ void tickets(int* ticket, int* next) {
  ticket[blockIdx.x * blockDim.x + threadIdx.x] = atomicAdd(next, 1);
}

TEST(Atomics, ReturnWhatStoodThereBefore) {
  every_order([](Context& ctx) {
    std::vector<int> ticket(kAll, -1), expected(kAll);
    std::iota(expected.begin(), expected.end(), 0);
    int next = 0;
    launch(ctx, tickets, kBlocks, kThreads, 0, ticket.data(), &next);
    std::sort(ticket.begin(), ticket.end());
    EXPECT_EQ(ticket, expected);
  });
}

__global__ void push(int* list, int* head) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  list[i] = atomicExch(head, i);
}

TEST(Atomics, ExchangeKeepsAListWhole) {
  every_order([](Context& ctx) {
    std::vector<int> list(kAll);
    int head = -1, length = 0;
    launch(ctx, push, kBlocks, kThreads, 0, list.data(), &head);
    for (int i = head; i >= 0 && length <= kAll; i = list[i]) ++length;
    EXPECT_EQ(length, kAll);
  });
}

// Doubles by CAS, as CUDA's guide does it for types without an atomic of their own.
__global__ void double_by_cas(unsigned* x) {
  unsigned old = *x, seen;
  do {
    seen = old;
    old = atomicCAS(x, seen, seen * 3 + 1);
  } while (old != seen);
}

TEST(Atomics, CompareAndSwapAppliesEveryStep) {
  every_order([](Context& ctx) {
    unsigned x = 1, expected = 1;
    for (int i = 0; i < 2 * 33; ++i) expected = expected * 3 + 1;
    launch(ctx, double_by_cas, 2, 33, 0, &x);
    EXPECT_EQ(x, expected);
  });
}

__global__ void shared_histogram(int* out, const int* key, int n) {
  __shared__ int bin[8];
  if (threadIdx.x < 8) bin[threadIdx.x] = 0;
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < n; i += static_cast<int>(blockDim.x))
    atomicAdd(&bin[key[i]], 1);
  __syncthreads();
  if (threadIdx.x < 8) atomicAdd(&out[threadIdx.x], bin[threadIdx.x]);
}

TEST(Atomics, WorkInSharedMemory) {
  every_order([](Context& ctx) {
    std::vector<int> key(1000), out(8, 0), expected(8, 0);
    for (int i = 0; i < 1000; ++i) ++expected[key[i] = i * i % 8];
    launch(ctx, shared_histogram, 1, 96, 0, out.data(), key.data(), 1000);
    EXPECT_EQ(out, expected);
  });
}

}  // namespace
}  // namespace moe
