// Sums over a block, in double. Their order depends on the number of threads only, never on who comes first.
#pragma once

#include "kernels/base/warp.cuh"

namespace moe::MOE_BACKEND {

constexpr int kSumThreads = 256;
constexpr int kSumWarps = kSumThreads / kWarp;

__device__ inline double warp_sum(double x) {
  for (int distance = kWarp / 2; distance > 0; distance /= 2) x += __shfl_xor_sync(kAllLanes, x, distance);
  return x;
}

// For blocks of kSumThreads; every thread gets the sum.
__device__ inline double block_sum(double x) {
  __shared__ double share[kSumWarps];
  x = warp_sum(x);
  __syncthreads();  // an earlier sum of this kernel has been read
  if (lane_of_warp() == 0) share[threadIdx.x / kWarp] = x;
  __syncthreads();
  double sum = 0;
  for (int w = 0; w < kSumWarps; ++w) sum += share[w];
  return sum;
}

// Σ term(i) over begin <= i < end, by one block.
template <class Term>
__device__ inline double block_sum_of(std::int64_t begin, std::int64_t end, Term term) {
  double sum = 0;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += kSumThreads) sum += term(i);
  return block_sum(sum);
}

__device__ inline double square(float x) {
  return static_cast<double>(x) * static_cast<double>(x);
}

}  // namespace moe::MOE_BACKEND
