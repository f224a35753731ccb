// fails: HandCase Scan
// No barrier between reading and adding: a neighbour may have added already.
#include "contract.hpp"

namespace moe::MOE_BACKEND {

constexpr int kThreads = 128;
constexpr int kMostExperts = 256;

__global__ void clear_kernel(std::int32_t* count, std::int64_t E) {
  if (threadIdx.x < E) count[threadIdx.x] = 0;
}

__global__ void count_kernel(std::int32_t* count, const std::int32_t* expert, std::int64_t A) {
  const std::int64_t a = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (a < A) atomicAdd(&count[expert[a]], 1);
}

// sum[e] becomes the sum of the counts 0 .. e: each step doubles how far back it reaches.
__global__ void scan_kernel(std::int32_t* offset, const std::int32_t* count, std::int64_t E) {
  __shared__ std::int32_t sum[kMostExperts];
  const int e = static_cast<int>(threadIdx.x);
  sum[e] = e < E ? count[e] : 0;
  __syncthreads();
  for (int distance = 1; distance < kMostExperts; distance *= 2) {
    const std::int32_t before = e >= distance ? sum[e - distance] : 0;
    sum[e] += before;
    __syncthreads();  // all have written
  }
  if (e == 0) offset[0] = 0;
  if (e < E) offset[e + 1] = sum[e];
}

// A warp takes an expert and walks the list: ranks follow from the lanes' votes, so the list's order is kept.
__global__ void scatter_kernel(std::int32_t* source, std::int32_t* row, const std::int32_t* expert,
                               const std::int32_t* offset, std::int64_t A) {
  const std::int32_t e = static_cast<std::int32_t>(blockIdx.x);
  const unsigned lane = threadIdx.x;
  std::int32_t next = offset[e];
  for (std::int64_t first = 0; first < A; first += 32) {
    const std::int64_t a = first + lane;
    const bool mine = a < A && expert[a] == e;
    const unsigned votes = __ballot_sync(0xffffffff, mine);
    const std::int32_t place = next + __popc(votes & ((1u << lane) - 1));
    if (mine) source[place] = static_cast<std::int32_t>(a);
    if (mine) row[a] = place;
    next += __popc(votes);
  }
}

void count_experts(Context& ctx, std::int32_t* count, const std::int32_t* expert, std::int64_t A,
                   std::int64_t E) {
  launch(ctx, clear_kernel, 1, kMostExperts, 0, count, E);
  if (A == 0) return;
  launch(ctx, count_kernel, blocks(A, kThreads), kThreads, 0, count, expert, A);
}

void scan_counts(Context& ctx, std::int32_t* offset, const std::int32_t* count, std::int64_t E) {
  launch(ctx, scan_kernel, 1, kMostExperts, 0, offset, count, E);
}

void scatter(Context& ctx, std::int32_t* source, std::int32_t* row, const std::int32_t* expert,
             const std::int32_t* offset, std::int64_t A, std::int64_t E) {
  launch(ctx, scatter_kernel, static_cast<unsigned>(E), 32, 0, source, row, expert, offset, A);
}

}  // namespace moe::MOE_BACKEND
