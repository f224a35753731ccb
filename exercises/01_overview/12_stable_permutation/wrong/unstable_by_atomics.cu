// fails: Stable
// A cursor for every expert, pushed by atomicAdd: who comes first gets the first row.
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
    __syncthreads();  // all have read
    sum[e] += before;
    __syncthreads();  // all have written
  }
  if (e == 0) offset[0] = 0;
  if (e < E) offset[e + 1] = sum[e];
}

__global__ void copy_kernel(std::int32_t* next, const std::int32_t* offset, std::int64_t E) {
  if (threadIdx.x < E) next[threadIdx.x] = offset[threadIdx.x];
}

__global__ void scatter_kernel(std::int32_t* source, std::int32_t* row, const std::int32_t* expert,
                               std::int32_t* next, std::int64_t A) {
  const std::int64_t a = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (a >= A) return;
  const std::int32_t place = atomicAdd(&next[expert[a]], 1);
  source[place] = static_cast<std::int32_t>(a);
  row[a] = place;
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
  if (A == 0) return;
  Scratch<std::int32_t> next(ctx, E);
  launch(ctx, copy_kernel, 1, kMostExperts, 0, next.data(), offset, E);
  launch(ctx, scatter_kernel, blocks(A, kThreads), kThreads, 0, source, row, expert, next.data(), A);
}

}  // namespace moe::MOE_BACKEND
