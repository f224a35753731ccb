// One launch a product, over 64×64 tiles of all experts' rows together; SwiGLU and its gradient happen in registers, between
// the product and memory. Weight gradients go by expert and tile of the weight, over that expert's rows in order, so that
// no two blocks add to one number.
//
// The gated activations pass through memory once, (A, F): written by the first product, read by the second.
#include "kernels/gemm/register_tile.cuh"
#include "kernels/grouped_ffn/row_tile.cuh"
#include "kernels/grouped_ffn/swiglu.cuh"
#include "kernels/grouped_ffn/versions.hpp"

namespace moe::MOE_BACKEND {
namespace {

constexpr int kHalf = kTile / 2;

unsigned slots(const FfnShape& s) {
  return static_cast<unsigned>(row_tile_slots<kTile>(s.A, s.E));
}

}  // namespace

// act = silu(x·W_gate^T) ⊙ (x·W_up^T). Columns 0..31 of the tile are 32 features of the gate, columns 32..63 the same ones
// of up, so a thread has both of what it must multiply.
__global__ void __launch_bounds__(kTileThreads)
    gated_kernel(float* __restrict__ act, float* __restrict__ hidden, const float* __restrict__ x,
                 const float* __restrict__ gate_up, const std::int32_t* __restrict__ offset, FfnShape s) {
  __shared__ RowTile found;
  __shared__ Slab left, right;
  const RowTile tile = find_row_tile<kTile, kTileThreads>(found, offset, s.E, blockIdx.x);
  if (tile.rows == 0) return;  // all threads of the block
  const std::int64_t f0 = std::int64_t{blockIdx.y} * kHalf;
  const float* gate = gate_up + (tile.expert * 2 * s.F + f0) * s.D;
  const Operand rows{x + tile.begin * s.D, s.D, tile.rows}, gates{gate, s.D, s.F - f0},
      ups{gate + s.F * s.D, s.D, s.F - f0};
  Micro sum = {};
  for (std::int64_t k = 0; k < s.D; k += kSlab) {
    load<kAlongDepth>(left, rows, k, s.D);
    load<kAlongDepth, 0, kHalf>(right, gates, k, s.D);
    load<kAlongDepth, kHalf, kHalf>(right, ups, k, s.D);
    __syncthreads();
    multiply_slab(sum, left.at, right.at);
    __syncthreads();
  }
  MOE_UNROLL
  for (int i = 0; i < 8; ++i) {
    const int row = micro_row(place_of_rows(), i);
    MOE_UNROLL
    for (int j = 0; j < 4; ++j) {
      const std::int64_t r = tile.begin + row, f = f0 + 4 * place_of_columns() + j;
      if (row >= tile.rows || f >= s.F) continue;
      const float h = sum.at[i][j], u = sum.at[i][4 + j];
      act[r * s.F + f] = swiglu(h, u);
      if (!hidden) continue;
      hidden[r * 2 * s.F + f] = h;
      hidden[r * 2 * s.F + s.F + f] = u;
    }
  }
}

// y (A, N) = x (A, K) · op(W_e) for the rows of every expert e; W_e (N, K) or, across the depth, (K, N).
template <bool kWeight>
__global__ void __launch_bounds__(kTileThreads)
    rows_kernel(float* __restrict__ y, const float* __restrict__ x, const float* __restrict__ weight,
                const std::int32_t* __restrict__ offset, std::int64_t E, std::int64_t N, std::int64_t K) {
  __shared__ RowTile found;
  __shared__ Slab left, right;
  const RowTile tile = find_row_tile<kTile, kTileThreads>(found, offset, E, blockIdx.x);
  if (tile.rows == 0) return;
  const std::int64_t n = std::int64_t{blockIdx.y} * kTile;
  const float* w = weight + tile.expert * N * K;
  Micro sum = {};
  multiply<kAlongDepth, kWeight>(
      sum, left, {x + tile.begin * K, K, tile.rows}, right,
      {w + (kWeight == kAlongDepth ? n * K : n), kWeight == kAlongDepth ? K : N, N - n}, K);
  for_each(sum, [&](int row, int column, float value) {
    if (row < tile.rows && n + column < N) y[(tile.begin + row) * N + n + column] = value;
  });
}

// d(act) = dy·W_down; act and [dh | du] follow from it and [h | u].
__global__ void __launch_bounds__(kTileThreads)
    gated_backward_kernel(float* __restrict__ act, float* __restrict__ hidden, const float* __restrict__ dy,
                          const float* __restrict__ down, const std::int32_t* __restrict__ offset,
                          FfnShape s) {
  __shared__ RowTile found;
  __shared__ Slab left, right;
  const RowTile tile = find_row_tile<kTile, kTileThreads>(found, offset, s.E, blockIdx.x);
  if (tile.rows == 0) return;
  const std::int64_t f0 = std::int64_t{blockIdx.y} * kTile;
  Micro sum = {};
  multiply<kAlongDepth, kAcrossDepth>(sum, left, {dy + tile.begin * s.D, s.D, tile.rows}, right,
                                      {down + tile.expert * s.D * s.F + f0, s.F, s.F - f0}, s.D);
  for_each(sum, [&](int row, int column, float dact) {
    const std::int64_t r = tile.begin + row, f = f0 + column;
    if (row >= tile.rows || f >= s.F) return;
    float *h = hidden + r * 2 * s.F + f, *u = h + s.F;
    const SwigluGradient g = swiglu_backward(dact, *h, *u);
    act[r * s.F + f] = g.act;
    *h = g.h;
    *u = g.u;
  });
}

// dW_e (M, N) = left_e^T · right_e, over the rows of expert e = blockIdx.z.
__global__ void __launch_bounds__(kTileThreads)
    weight_kernel(float* __restrict__ dw, const float* __restrict__ left_rows,
                  const float* __restrict__ right_rows, const std::int32_t* __restrict__ offset,
                  std::int64_t M, std::int64_t N, bool accumulate) {
  __shared__ Slab left, right;
  const std::int64_t e = blockIdx.z, m = std::int64_t{blockIdx.x} * kTile,
                     n = std::int64_t{blockIdx.y} * kTile;
  const std::int64_t begin = offset[e], rows = offset[e + 1] - begin;
  if (accumulate && rows == 0) return;
  Micro sum = {};
  multiply<kAcrossDepth, kAcrossDepth>(sum, left, {left_rows + begin * M + m, M, M - m}, right,
                                       {right_rows + begin * N + n, N, N - n}, rows);
  const bool aligned = is_aligned(dw, N);
  for_each_quad(sum, [&](int row, int column, Quad value) {
    if (m + row >= M) return;
    const std::int64_t valid = N - n - column;
    float* out = dw + (e * M + m + row) * N + n + column;
    const Quad old = accumulate ? load_quad(out, valid, aligned) : Quad{};
    MOE_UNROLL
    for (int j = 0; j < 4; ++j) value.x[j] = accumulate ? old.x[j] + value.x[j] : value.x[j];
    store_quad(out, value, valid, aligned);
  });
}

void grouped_ffn_tiled(Context& ctx, float* y, float* hidden, const float* x, const FfnWeights<float>& w,
                       const std::int32_t* offset, const FfnShape& s) {
  account_forward(ctx, s, hidden != nullptr);
  if (s.A == 0 || s.E == 0) return;
  Scratch<float> act(ctx, s.A * s.F);
  launch(ctx, gated_kernel, dim3(slots(s), blocks(s.F, kHalf)), kTileThreads, 0, act.data(), hidden, x,
         w.gate_up, offset, s);
  launch(ctx, rows_kernel<kAlongDepth>, dim3(slots(s), blocks(s.D, kTile)), kTileThreads, 0, y, act.data(),
         w.down, offset, s.E, s.D, s.F);
}

void grouped_ffn_backward_tiled(Context& ctx, const FfnGradients<float>& g, const float* dy, const float* x,
                                float* hidden, const FfnWeights<float>& w, const std::int32_t* offset,
                                const FfnShape& s) {
  account_backward(ctx, s);
  if (s.E == 0) return;
  Scratch<float> act(ctx, s.A * s.F);
  if (s.A > 0) {
    launch(ctx, gated_backward_kernel, dim3(slots(s), blocks(s.F, kTile)), kTileThreads, 0, act.data(),
           hidden, dy, w.down, offset, s);
    launch(ctx, rows_kernel<kAcrossDepth>, dim3(slots(s), blocks(s.D, kTile)), kTileThreads, 0, g.x, hidden,
           w.gate_up, offset, s.E, s.D, 2 * s.F);
  }
  const unsigned E = static_cast<unsigned>(s.E), D = blocks(s.D, kTile);
  launch(ctx, weight_kernel, dim3(blocks(2 * s.F, kTile), D, E), kTileThreads, 0, g.gate_up, hidden, x,
         offset, 2 * s.F, s.D, g.accumulate);
  launch(ctx, weight_kernel, dim3(D, blocks(s.F, kTile), E), kTileThreads, 0, g.down, dy, act.data(), offset,
         s.D, s.F, g.accumulate);
}

}  // namespace moe::MOE_BACKEND
