// For kernels over n independent elements: a block takes a stretch of them, each thread every kElementThreads-th.
// Several elements a thread: their loads are on their way together, and what a thread works out beforehand is shared.
#pragma once

#include "kernels/base/launch.hpp"

namespace moe::MOE_BACKEND {

constexpr int kElementThreads = 256;
constexpr std::int64_t kElementsPerBlock = 8 * kElementThreads;

inline unsigned element_blocks(std::int64_t n) {
  return blocks(n, kElementsPerBlock);
}

// body(i) for each i of this thread.
template <class Body>
__device__ inline void each_element(std::int64_t n, Body body) {
  const std::int64_t begin = blockIdx.x * kElementsPerBlock;
  const std::int64_t end = begin + kElementsPerBlock < n ? begin + kElementsPerBlock : n;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += kElementThreads) body(i);
}

}  // namespace moe::MOE_BACKEND
