// Shuffles, votes and warp reductions. Lanes of the mask that have ended are not waited for; reading from one, or from a
// lane outside the mask, gives NaN (all bits set), where CUDA leaves the value undefined, and is an error in checked kernels.
#pragma once

#include <bit>
#include <cstring>

#include "kernels/simt/front.hpp"

namespace moe::simt {
inline namespace MOE_SIMT_FLAVOUR {
namespace flavoured {

template <class T>
std::uint64_t to_bits(T value) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles move 4 or 8 bytes");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}
template <class T>
T from_bits(std::uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

MOE_SIMT_UNWATCHED inline void resolve_nothing(Warp&, unsigned) {}

MOE_SIMT_UNWATCHED inline void resolve_shuffle(Warp& warp, unsigned mask) {
  std::uint64_t brought[kWarpSize];
  for (unsigned left = mask; left; left &= left - 1) {
    const int lane = std::countr_zero(left);
    brought[lane] = warp.lanes[lane].value;
  }
  for (unsigned left = mask; left; left &= left - 1) {
    Thread& t = warp.lanes[std::countr_zero(left)];
    const bool there = mask >> t.source & 1;
    if (kWatched && !there) stop_for_absent_lane(t);
    t.value = there ? brought[t.source] : ~std::uint64_t{0};
  }
}

MOE_SIMT_UNWATCHED inline void resolve_ballot(Warp& warp, unsigned mask) {
  unsigned votes = 0;
  for (unsigned left = mask; left; left &= left - 1) {
    const int lane = std::countr_zero(left);
    votes |= static_cast<unsigned>(warp.lanes[lane].value & 1) << lane;
  }
  for (unsigned left = mask; left; left &= left - 1) warp.lanes[std::countr_zero(left)].value = votes;
}

template <class T, T (*combine)(T, T)>
MOE_SIMT_UNWATCHED void resolve_reduce(Warp& warp, unsigned mask) {
  T all = from_bits<T>(warp.lanes[std::countr_zero(mask)].value);
  for (unsigned left = mask & (mask - 1); left; left &= left - 1)
    all = combine(all, from_bits<T>(warp.lanes[std::countr_zero(left)].value));
  for (unsigned left = mask; left; left &= left - 1) warp.lanes[std::countr_zero(left)].value = to_bits(all);
}

template <class T>
MOE_SIMT_INLINE T shuffle(unsigned mask, Op op, T value, unsigned source, Where where) {
  return from_bits<T>(exchange(mask, op, to_bits(value), source, resolve_shuffle, where));
}
MOE_SIMT_INLINE unsigned votes(unsigned mask, Op op, bool vote, Where where) {
  return static_cast<unsigned>(exchange(mask, op, vote, 0, resolve_ballot, where));
}
template <class T, T (*combine)(T, T)>
MOE_SIMT_INLINE T reduce(unsigned mask, Op op, T value, Where where) {
  return from_bits<T>(exchange(mask, op, to_bits(value), 0, resolve_reduce<T, combine>, where));
}

template <class T>
T add(T a, T b) {
  return static_cast<T>(std::uint64_t(a) + std::uint64_t(b));  // wraps around, as on the device
}
template <class T>
T less(T a, T b) {
  return b < a ? b : a;
}
template <class T>
T greater(T a, T b) {
  return a < b ? b : a;
}

}  // namespace flavoured

MOE_SIMT_INLINE void __syncwarp(unsigned mask = 0xffffffff, Where where = Where::current()) {
  exchange(mask, Op::syncwarp, 0, 0, flavoured::resolve_nothing, where);
}

// Within groups of `width` lanes, a power of two up to 32.
template <class T>
MOE_SIMT_INLINE T __shfl_sync(unsigned mask, T value, int lane, int width = 32,
                              Where where = Where::current()) {
  const unsigned group = lane_index() & ~(width - 1u);
  return flavoured::shuffle(mask, Op::shfl, value, group | (lane & (width - 1u)), where);
}
template <class T>
MOE_SIMT_INLINE T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32,
                                 Where where = Where::current()) {
  const unsigned lane = lane_index(), place = lane & (width - 1u);
  return flavoured::shuffle(mask, Op::shfl_up, value, place >= delta ? lane - delta : lane, where);
}
template <class T>
MOE_SIMT_INLINE T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32,
                                   Where where = Where::current()) {
  const unsigned lane = lane_index(), place = lane & (width - 1u);
  return flavoured::shuffle(mask, Op::shfl_down, value, delta < width - place ? lane + delta : lane, where);
}
// As on the device, a lane of an earlier group may be read, one of a later group may not.
template <class T>
MOE_SIMT_INLINE T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32,
                                  Where where = Where::current()) {
  const unsigned lane = lane_index(), last = lane | (width - 1u),
                 other = lane ^ static_cast<unsigned>(lane_mask);
  return flavoured::shuffle(mask, Op::shfl_xor, value, other <= last ? other : lane, where);
}

MOE_SIMT_INLINE unsigned __ballot_sync(unsigned mask, int vote, Where where = Where::current()) {
  return flavoured::votes(mask, Op::ballot, vote != 0, where);
}
MOE_SIMT_INLINE int __any_sync(unsigned mask, int vote, Where where = Where::current()) {
  return flavoured::votes(mask, Op::any, vote != 0, where) != 0;
}
MOE_SIMT_INLINE int __all_sync(unsigned mask, int vote, Where where = Where::current()) {
  return flavoured::votes(mask, Op::all, vote == 0, where) == 0;
}

// 32-bit integers; sm_80 and newer.
template <class T>
MOE_SIMT_INLINE T __reduce_add_sync(unsigned mask, T value, Where where = Where::current()) {
  return flavoured::reduce<T, flavoured::add<T>>(mask, Op::reduce_add, value, where);
}
template <class T>
MOE_SIMT_INLINE T __reduce_min_sync(unsigned mask, T value, Where where = Where::current()) {
  return flavoured::reduce<T, flavoured::less<T>>(mask, Op::reduce_min, value, where);
}
template <class T>
MOE_SIMT_INLINE T __reduce_max_sync(unsigned mask, T value, Where where = Where::current()) {
  return flavoured::reduce<T, flavoured::greater<T>>(mask, Op::reduce_max, value, where);
}

}  // namespace MOE_SIMT_FLAVOUR
}  // namespace moe::simt
