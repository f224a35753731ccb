// A 64×64 tile of a product, held in the registers of 64 threads: 8×8 numbers each. Per step of k a thread takes 16 numbers
// from shared memory and makes 64 multiply-adds of them; with one element a thread it would be 2 numbers for 1. The
// building block of gemm, grouped_ffn and attention.
//
//   Micro sum = {};
//   multiply<kAlongDepth, kAcrossDepth>(sum, left, a, right, b, K);   // sum += a (64, K) · b (K, 64)
//   for_each(sum, [&](int row, int column, float x) { ... });
#pragma once

#include "kernels/base/host_device.hpp"
#include "kernels/base/launch.hpp"

namespace moe::MOE_BACKEND {

constexpr int kTile = 64;  // rows and columns
constexpr int kSlab = 16;  // steps of k that stand in shared memory at a time
constexpr int kTileThreads = 64;
constexpr int kPitch =
    kTile + 4;  // a multiple of 4: rows stay aligned for Quad, and columns fall into several banks

struct alignas(16) Quad {
  float x[4];
};

// Part of an operand in shared memory: at[k][i], i a row of the left or a column of the right one.
struct alignas(16) Slab {
  float at[kSlab][kPitch];
};
// A whole tile that is an operand of the next product.
struct alignas(16) Square {
  float at[kTile][kPitch];
};

struct Micro {
  float at[8][8];
};

// An operand as it stands in memory, from the tile's first row (or column) on.
struct Operand {
  const float* data;
  std::int64_t ld;
  std::int64_t rows;  // beyond it, and beyond the depth, zeros are taken and nothing is read
};

constexpr bool kAlongDepth = true;    // element (i, k) at data[i·ld + k]
constexpr bool kAcrossDepth = false;  // element (i, k) at data[k·ld + i]

// A thread has rows 4·place .. +3 and 32 + 4·place .. +3 of the tile, and columns likewise: neighbours read neighbouring
// quads of shared memory.
__device__ inline int micro_row(int place, int i) {
  return 4 * place + i + (i < 4 ? 0 : kTile / 2 - 4);
}
__device__ inline int place_of_rows() {
  return static_cast<int>(threadIdx.x) / 8;
}
__device__ inline int place_of_columns() {
  return static_cast<int>(threadIdx.x) % 8;
}

// visit(row, column, number&)
template <class Visit>
__device__ inline void for_each(Micro& sum, Visit visit) {
  const int rows = place_of_rows(), columns = place_of_columns();
  MOE_UNROLL
  for (int i = 0; i < 8; ++i) MOE_UNROLL
  for (int j = 0; j < 8; ++j) visit(micro_row(rows, i), micro_row(columns, j), sum.at[i][j]);
}

// 16 bytes in one access where the memory allows it; zeros from `valid` on.
__device__ inline Quad load_quad(const float* from, std::int64_t valid, bool aligned) {
  if (aligned && valid >= 4) return *reinterpret_cast<const Quad*>(from);
  Quad quad;
  MOE_UNROLL
  for (int i = 0; i < 4; ++i) quad.x[i] = i < valid ? from[i] : 0.f;
  return quad;
}
__device__ inline void store_quad(float* to, const Quad& quad, std::int64_t valid, bool aligned) {
  if (aligned && valid >= 4) {
    *reinterpret_cast<Quad*>(to) = quad;
    return;
  }
  MOE_UNROLL
  for (int i = 0; i < 4; ++i)
    if (i < valid) to[i] = quad.x[i];
}
__device__ inline bool is_aligned(const float* data, std::int64_t ld) {
  return reinterpret_cast<std::uintptr_t>(data) % sizeof(Quad) == 0 && ld % 4 == 0;
}

// visit(row, column, quad): numbers of columns column .. +3. One by one, stores of a warp would touch every sector four times.
template <class Visit>
__device__ inline void for_each_quad(const Micro& sum, Visit visit) {
  const int rows = place_of_rows(), columns = place_of_columns();
  MOE_UNROLL
  for (int i = 0; i < 8; ++i) MOE_UNROLL
  for (int j = 0; j < 8; j += 4)
    visit(micro_row(rows, i), micro_row(columns, j),
          Quad{{sum.at[i][j], sum.at[i][j + 1], sum.at[i][j + 2], sum.at[i][j + 3]}});
}

// Columns kFirst .. kFirst + kCount of a slab from steps k0 .. of an operand of the given depth. Neighbouring threads read
// neighbouring quads of memory.
template <bool kLayout, int kFirst = 0, int kCount = kTile>
__device__ inline void load(Slab& slab, const Operand& x, std::int64_t k0, std::int64_t depth) {
  const int t = static_cast<int>(threadIdx.x);
  const bool aligned = is_aligned(x.data, x.ld);
  if constexpr (kLayout == kAlongDepth) {
    constexpr int kRows = kTileThreads * 4 / kSlab;  // a pass
    const int k = t * 4 % kSlab;
    MOE_UNROLL
    for (int pass = 0; pass < kCount / kRows; ++pass) {
      const int i = t * 4 / kSlab + pass * kRows;
      const Quad quad = load_quad(x.data + i * x.ld + k0 + k, i < x.rows ? depth - k0 - k : 0, aligned);
      MOE_UNROLL
      for (int j = 0; j < 4; ++j) slab.at[k + j][kFirst + i] = quad.x[j];
    }
  } else {
    constexpr int kSteps = kTileThreads * 4 / kCount;
    const int i = t * 4 % kCount;
    MOE_UNROLL
    for (int pass = 0; pass < kSlab / kSteps; ++pass) {
      const int k = t * 4 / kCount + pass * kSteps;
      *reinterpret_cast<Quad*>(&slab.at[k][kFirst + i]) =
          load_quad(x.data + (k0 + k) * x.ld + i, k0 + k < depth ? x.rows - i : 0, aligned);
    }
  }
}

// sum += left^T · right over the kSlab steps that both hold.
__device__ inline void multiply_slab(Micro& sum, const float (*left)[kPitch], const float (*right)[kPitch]) {
  const int rows = 4 * place_of_rows(), columns = 4 * place_of_columns();
  MOE_UNROLL_BY(2)
  for (int k = 0; k < kSlab; ++k) {
    Quad a[2], b[2];
    MOE_UNROLL
    for (int half = 0; half < 2; ++half) {
      a[half] = *reinterpret_cast<const Quad*>(&left[k][rows + half * (kTile / 2)]);
      b[half] = *reinterpret_cast<const Quad*>(&right[k][columns + half * (kTile / 2)]);
    }
    MOE_UNROLL
    for (int i = 0; i < 8; ++i) MOE_UNROLL
    for (int j = 0; j < 8; ++j) sum.at[i][j] += a[i / 4].x[i % 4] * b[j / 4].x[j % 4];
  }
}

// sum += a (tile, depth) · b (depth, tile). All threads of the block come here; the slabs are free when it returns.
template <bool kLeft, bool kRight>
__device__ inline void multiply(Micro& sum, Slab& left, const Operand& a, Slab& right, const Operand& b,
                                std::int64_t depth) {
  for (std::int64_t k = 0; k < depth; k += kSlab) {
    load<kLeft>(left, a, k, depth);
    load<kRight>(right, b, k, depth);
    __syncthreads();
    multiply_slab(sum, left.at, right.at);
    __syncthreads();  // nobody overwrites a slab that others still read
  }
}

// The same with the left operand in shared memory, left.at[k][row], zero from `depth` on; complete before the call.
__device__ inline void multiply_square(Micro& sum, const Square& left, Slab& right, const Operand& b,
                                       int depth) {
  for (int k = 0; k < depth; k += kSlab) {
    load<kAcrossDepth>(right, b, k, depth);
    __syncthreads();
    multiply_slab(sum, left.at + k, right.at);
    __syncthreads();
  }
}

}  // namespace moe::MOE_BACKEND
