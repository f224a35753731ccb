// For kernels in which a warp takes a row: which row, and sums over the warp.
#pragma once

#include "kernels/base/launch.hpp"

namespace moe::MOE_BACKEND {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffff;
constexpr int kRowThreads = 128;  // of a block: four rows
constexpr int kRowsPerBlock = kRowThreads / kWarp;

__device__ inline std::int64_t row_of_warp() {
  return static_cast<std::int64_t>(blockIdx.x) * kRowsPerBlock + threadIdx.x / kWarp;
}
__device__ inline int lane_of_warp() {
  return static_cast<int>(threadIdx.x % kWarp);
}

// By exchange, so that every lane holds the same bits.
__device__ inline float warp_sum(float x) {
  for (int distance = kWarp / 2; distance > 0; distance /= 2) x += __shfl_xor_sync(kAllLanes, x, distance);
  return x;
}
// Passes over NaN.
__device__ inline float warp_max(float x) {
  for (int distance = kWarp / 2; distance > 0; distance /= 2)
    x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, distance));
  return x;
}

// Of a thread in a grid of one dimension.
__device__ inline std::int64_t global_thread() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

}  // namespace moe::MOE_BACKEND
