// CUDA C++ for the host's compiler: the keywords, variables and functions that a .cu file uses. Included by
// kernels/base/launch.hpp in place of the toolkit's headers, never together with them.
#pragma once

#include <atomic>
#include <bit>
#include <cmath>

#include "kernels/simt/atomics.hpp"
#include "kernels/simt/launch.hpp"
#include "kernels/simt/vectors.hpp"
#include "kernels/simt/warp.hpp"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

// One block at a time on a thread of the operating system: what belongs to that thread is shared by that block.
#define __shared__ static thread_local

#define threadIdx (::moe::simt::thread_index())
#define blockIdx (::moe::simt::block_index())
#define blockDim (::moe::simt::block_shape())
#define gridDim (::moe::simt::grid_shape())
#define warpSize 32

namespace moe::simt {
inline namespace MOE_SIMT_FLAVOUR {

MOE_SIMT_INLINE void __syncthreads(Where where = Where::current()) {
  barrier(Op::syncthreads, 0, where);
}
MOE_SIMT_INLINE int __syncthreads_count(int predicate, Where where = Where::current()) {
  return barrier(Op::syncthreads_count, predicate, where);
}
MOE_SIMT_INLINE int __syncthreads_and(int predicate, Where where = Where::current()) {
  return barrier(Op::syncthreads_and, predicate, where);
}
MOE_SIMT_INLINE int __syncthreads_or(int predicate, Where where = Where::current()) {
  return barrier(Op::syncthreads_or, predicate, where);
}

using std::isfinite;
using std::isinf;
using std::isnan;

inline float rsqrtf(float x) {
  return 1 / std::sqrt(x);
}
inline int __popc(unsigned x) {
  return std::popcount(x);
}
inline int __clz(int x) {
  return std::countl_zero(static_cast<unsigned>(x));
}
inline int __ffs(int x) {
  return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1;
}
inline int __float_as_int(float x) {
  return std::bit_cast<int>(x);
}
inline float __int_as_float(int x) {
  return std::bit_cast<float>(x);
}
template <class T>
T __ldg(const T* address) {
  return *address;
}
inline void __threadfence() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace MOE_SIMT_FLAVOUR
}  // namespace moe::simt
