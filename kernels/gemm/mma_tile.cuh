// A 64×64 tile of a product on tensor cores: bf16 operands, f32 sums, four warps of 32×32 each. While the warps multiply one
// slab of 32 steps of k, cp.async brings the next into the other half of shared memory. ldmatrix reads fragments from
// either layout, transposing on the way where it must, so no operand is ever transposed in memory.
//
//   __shared__ HalfSlab<kAlongDepth> left[2], right[2];
//   MmaSum sum = {};
//   multiply(sum, left, right, K, [&](auto& l, auto& r, std::int64_t k) { begin_load(l, a, k, K); begin_load(r, b, k, K); });
//   for_each(sum, [&](int row, int column, float x) { ... });
#pragma once

#include "kernels/base/mma.cuh"
#include "kernels/gemm/register_tile.cuh"
#include "kernels/gemm/round_to_bf16.cuh"

namespace moe::MOE_BACKEND {

constexpr int kMmaThreads = 128;
constexpr int kMmaSlab = 32;  // steps of k

// One operand's slab. Pitches of 80 and 144 bytes: the eight rows that ldmatrix reads at once lie in different banks.
template <bool kLayout>
struct alignas(16) HalfSlab;
template <>
struct alignas(16) HalfSlab<kAlongDepth> {
  Bf16 at[kTile][kMmaSlab + 8];  // [i][k]
};
template <>
struct alignas(16) HalfSlab<kAcrossDepth> {
  Bf16 at[kMmaSlab][kTile + 8];  // [k][i]
};

// at[block of 16 rows][block of 8 columns][as in mma's C]
struct MmaSum {
  float at[2][4][4];
};

// A warp has 32 rows, and columns 16·w .. +15 and 32 + 16·w .. +15 of the tile: both halves, so that the gate's and up's
// columns of one feature meet in one thread.
__device__ inline int warp_row() {
  return static_cast<int>(threadIdx.x) / 64 * 32;
}
__device__ inline int warp_column(int half) {
  return static_cast<int>(threadIdx.x) / 32 % 2 * 16 + half * 32;
}

// Starts the copies of steps k0 .. of rows kFirst .. kFirst + kCount of a slab; zeros where the operand ends.
template <int kFirst = 0, int kCount = kTile, bool kLayout>
__device__ inline void begin_load(HalfSlab<kLayout>& slab, const HalfOperand& x, std::int64_t k0,
                                  std::int64_t depth) {
  constexpr int kPieces = kCount * kMmaSlab / 8, kAcross = kLayout == kAlongDepth ? kMmaSlab / 8 : kCount / 8;
  MOE_UNROLL
  for (int pass = 0; pass < kPieces / kMmaThreads; ++pass) {
    const int piece = static_cast<int>(threadIdx.x) + pass * kMmaThreads, row = piece / kAcross,
              column = piece % kAcross * 8;
    const int i = kLayout == kAlongDepth ? row : column, k = kLayout == kAlongDepth ? column : row;
    const bool inside = i < x.rows && k0 + k < depth;
    const Bf16* from = x.data + (kLayout == kAlongDepth ? i * x.ld + k0 + k : (k0 + k) * x.ld + i);
    Bf16* to = kLayout == kAlongDepth ? &slab.at[kFirst + i][k] : &slab.at[k][kFirst + i];
    cp_async<16>(to, inside ? from : x.data, inside ? 16 : 0);
  }
}

// Fragments: rows m .. m+15 of the left operand, columns n .. n+15 of the right one (two fragments), steps k .. k+15.
template <bool kLayout>
__device__ inline void load_left(unsigned (&a)[4], const HalfSlab<kLayout>& slab, int m, int k) {
  const int lane = static_cast<int>(threadIdx.x) % 32, r = lane % 8, low = lane / 8 % 2 * 8,
            high = lane / 16 * 8;
  if constexpr (kLayout == kAlongDepth)
    ldmatrix_x4(a, &slab.at[m + low + r][k + high]);
  else
    ldmatrix_x4_trans(a, &slab.at[k + high + r][m + low]);
}
template <bool kLayout>
__device__ inline void load_right(unsigned (&b)[4], const HalfSlab<kLayout>& slab, int n, int k) {
  const int lane = static_cast<int>(threadIdx.x) % 32, r = lane % 8, low = lane / 8 % 2 * 8,
            high = lane / 16 * 8;
  if constexpr (kLayout == kAlongDepth)
    ldmatrix_x4(b, &slab.at[n + high + r][k + low]);
  else
    ldmatrix_x4_trans(b, &slab.at[k + low + r][n + high]);
}

template <bool kLeft, bool kRight>
__device__ inline void multiply_slab(MmaSum& sum, const HalfSlab<kLeft>& left,
                                     const HalfSlab<kRight>& right) {
  MOE_UNROLL
  for (int k = 0; k < kMmaSlab; k += 16) {
    unsigned a[2][4];
    load_left(a[0], left, warp_row(), k);
    load_left(a[1], left, warp_row() + 16, k);
    MOE_UNROLL
    for (int half = 0; half < 2; ++half) {
      unsigned b[4];
      load_right(b, right, warp_column(half), k);
      MOE_UNROLL
      for (int m = 0; m < 2; ++m) {
        mma_m16n8k16(sum.at[m][2 * half], a[m], {b[0], b[1]});
        mma_m16n8k16(sum.at[m][2 * half + 1], a[m], {b[2], b[3]});
      }
    }
  }
}

// sum += a (tile, depth) · b (depth, tile); begin(left slab, right slab, k) starts the copies of one slab. All threads of the
// block come here.
template <bool kLeft, bool kRight, class Begin>
__device__ inline void multiply(MmaSum& sum, HalfSlab<kLeft> (&left)[2], HalfSlab<kRight> (&right)[2],
                                std::int64_t depth, Begin begin) {
  int now = 0;
  if (depth > 0) begin(left[0], right[0], std::int64_t{0});
  cp_async_commit_group();
  for (std::int64_t k = 0; k < depth; k += kMmaSlab) {
    const int next = 1 - now;
    if (k + kMmaSlab < depth) begin(left[next], right[next], k + kMmaSlab);
    cp_async_commit_group();  // the last one is empty
    cp_async_wait_group<1>();
    __syncthreads();
    multiply_slab(sum, left[now], right[now]);
    __syncthreads();  // the next turn's copies go where others may still read
    now = next;
  }
}

// Where element i of block (m, n) of a sum stands in the tile.
__device__ inline int mma_row(int m, int i) {
  return warp_row() + 16 * m + static_cast<int>(threadIdx.x) % 32 / 4 + i / 2 * 8;
}
__device__ inline int mma_column(int n, int i) {
  return warp_column(n / 2) + n % 2 * 8 + static_cast<int>(threadIdx.x) % 4 * 2 + i % 2;
}

// visit(row, column, number)
template <class Visit>
__device__ inline void for_each(const MmaSum& sum, Visit visit) {
  MOE_UNROLL
  for (int m = 0; m < 2; ++m) MOE_UNROLL
  for (int n = 0; n < 4; ++n) MOE_UNROLL
  for (int i = 0; i < 4; ++i) visit(mma_row(m, i), mma_column(n, i), sum.at[m][n][i]);
}

}  // namespace moe::MOE_BACKEND
