// The emulated device's mma.sync, ldmatrix and cp.async; contract and layouts stand in kernels/base/mma.cuh.
//
// mma and ldmatrix are meetings of a warp; a lane that has ended counts as NaN. Between the issue of a copy and the wait that
// covers its group the hardware may have written any part of it; here NaN (all bits set) stands there, and the data come with
// that wait. So a kernel without the wait reads NaN, and so does one that copies over what others still read. A copy that
// is never waited for never comes.
#pragma once

#include <cstring>

#include "kernels/simt/warp.hpp"

namespace moe::simt {
// Runs outside of kernels, so the checked device has it but once.
namespace twin {

struct MmaLane {
  const unsigned *a, *b;
  float* c;
};
void resolve_mma(Warp& warp, unsigned mask);

struct MatrixLane {
  unsigned char row[16];  // that this lane's address names
  unsigned* result;
  int count;
  bool transposed;
};
void resolve_ldmatrix(Warp& warp, unsigned mask);

struct AsyncCopy {
  void* to;
  const void* from;
  int bytes, valid;
};
// Of the current thread.
void begin_copy(const AsyncCopy& copy, Where where);
// For the checked device these bytes have no value any more.
void take_value(const void* memory, std::size_t bytes);
void end_group();
// The oldest copy of all groups but the last `pending` ones leaves the queue; false: there is none.
bool next_copy(unsigned pending, AsyncCopy& copy);

// Whether the address that the current lane gives to ldmatrix names one of `count` matrices' rows. Stops the launch when
// it is not aligned.
bool names_row(int count, const void* row, Where where);

}  // namespace twin

inline namespace MOE_SIMT_FLAVOUR {

template <bool kTransposed, int kCount>
MOE_SIMT_INLINE void load_matrices(unsigned (&r)[kCount], const void* row, Where where) {
  twin::MatrixLane lane;
  lane.result = r;
  lane.count = kCount;
  lane.transposed = kTransposed;
  if (twin::names_row(kCount, row, where)) std::memcpy(lane.row, row, sizeof lane.row);
  exchange(0xffffffff, Op::ldmatrix, reinterpret_cast<std::uintptr_t>(&lane), 0, twin::resolve_ldmatrix,
           where);
}

MOE_SIMT_INLINE void mma_m16n8k16(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2],
                                  Where where = Where::current()) {
  const twin::MmaLane lane{a, b, c};
  exchange(0xffffffff, Op::mma, reinterpret_cast<std::uintptr_t>(&lane), 0, twin::resolve_mma, where);
}

MOE_SIMT_INLINE void ldmatrix_x4(unsigned (&r)[4], const void* row, Where where = Where::current()) {
  load_matrices<false>(r, row, where);
}
MOE_SIMT_INLINE void ldmatrix_x4_trans(unsigned (&r)[4], const void* row, Where where = Where::current()) {
  load_matrices<true>(r, row, where);
}
MOE_SIMT_INLINE void ldmatrix_x2(unsigned (&r)[2], const void* row, Where where = Where::current()) {
  load_matrices<false>(r, row, where);
}
MOE_SIMT_INLINE void ldmatrix_x2_trans(unsigned (&r)[2], const void* row, Where where = Where::current()) {
  load_matrices<true>(r, row, where);
}

template <int kBytes>
MOE_SIMT_INLINE void cp_async(void* to, const void* from, int valid = kBytes,
                              Where where = Where::current()) {
  static_assert(kBytes == 4 || kBytes == 8 || kBytes == 16);
  if (kWatched && valid > 0) {
    // What it takes away must be there now; the copy itself is watched where it arrives.
    unsigned char taken[16];
    std::memcpy(taken, from, static_cast<std::size_t>(valid));
    asm volatile("" : : "r"(taken) : "memory");
  }
  twin::begin_copy({to, from, kBytes, valid}, where);
  // Not memset: GCC expands one of fixed size after it has put in the calls that watch memory.
  const std::uint64_t nan[2] = {~std::uint64_t{0}, ~std::uint64_t{0}};
  std::memcpy(to, nan, kBytes);
  if (kWatched) twin::take_value(to, kBytes);
}

MOE_SIMT_INLINE void cp_async_commit_group() {
  twin::end_group();
}

template <int kPending>
MOE_SIMT_INLINE void cp_async_wait_group() {
  twin::AsyncCopy copy;
  while (twin::next_copy(kPending, copy)) {
    unsigned char bytes[16] = {};
    if (copy.valid > 0) std::memcpy(bytes, copy.from, static_cast<std::size_t>(copy.valid));
    std::memcpy(copy.to, bytes, static_cast<std::size_t>(copy.bytes));
  }
}

}  // namespace MOE_SIMT_FLAVOUR
}  // namespace moe::simt
