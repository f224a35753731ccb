// What kernels call of the block that runs them, in two flavours. In plain kernels it is inlined; see MOE_SIMT_INLINE.
// Checked kernels are compiled with every access watched, so there it is called, and what it touches is not watched.
// Each flavour is a namespace of its own, since one program holds both.
#pragma once

#include "kernels/simt/block.hpp"

#ifdef MOE_CHECKED_BACKEND
#define MOE_SIMT_FLAVOUR checked
#define MOE_SIMT_UNWATCHED __attribute__((no_sanitize("thread")))
#else
#define MOE_SIMT_FLAVOUR plain
#define MOE_SIMT_UNWATCHED
#endif

namespace moe::simt {

#ifdef MOE_CHECKED_BACKEND

inline namespace checked {
inline constexpr bool kWatched = true;
[[gnu::const]] dim3 thread_index();
[[gnu::const]] dim3 block_index();
[[gnu::const]] dim3 block_shape();
[[gnu::const]] dim3 grid_shape();
[[gnu::const]] unsigned lane_index();
[[gnu::const]] std::byte* dynamic_shared();
int barrier(Op op, int predicate, Where where);
std::uint64_t exchange(unsigned mask, Op op, std::uint64_t value, unsigned source, Warp::Resolve resolve,
                       Where where);
}  // namespace checked

#else

inline namespace plain {
inline constexpr bool kWatched = false;
MOE_SIMT_INLINE const dim3& thread_index() {
  return here->index;
}
MOE_SIMT_INLINE dim3 block_index() {
  return here->block->index();
}
MOE_SIMT_INLINE const dim3& block_shape() {
  return here->block->launch().block;
}
MOE_SIMT_INLINE const dim3& grid_shape() {
  return here->block->launch().grid;
}
MOE_SIMT_INLINE unsigned lane_index() {
  return here->lane;
}
MOE_SIMT_INLINE std::byte* dynamic_shared() {
  return here->block->shared();
}
MOE_SIMT_INLINE int barrier(Op op, int predicate, Where where) {
  return here->block->barrier(op, predicate, where);
}
MOE_SIMT_INLINE std::uint64_t exchange(unsigned mask, Op op, std::uint64_t value, unsigned source,
                                       Warp::Resolve resolve, Where where) {
  return meet(mask, op, value, source, resolve, where);
}
}  // namespace plain

#endif

}  // namespace moe::simt
