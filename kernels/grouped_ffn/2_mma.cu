// Tensor cores: the same tiles and the same epilogues as 1_tiled, products of bf16 operands with f32 sums. What a product
// hands to the next one is stored as bf16 at once, so only x, dy and the weights are rounded in passes of their own.
// PTX: mma.sync, ldmatrix, cp.async
#include "kernels/gemm/mma_tile.cuh"
#include "kernels/grouped_ffn/row_tile.cuh"
#include "kernels/grouped_ffn/swiglu.cuh"
#include "kernels/grouped_ffn/versions.hpp"

namespace moe::MOE_BACKEND {
namespace {

constexpr int kHalf = kTile / 2;

unsigned slots(const FfnShape& s) {
  return static_cast<unsigned>(row_tile_slots<kTile>(s.A, s.E));
}

__device__ HalfOperand rows_of(const HalfOperand& x, const RowTile& tile) {
  return {x.data + tile.begin * x.ld, x.ld, tile.rows};
}

}  // namespace

// act (A, act_ld) in bf16, zeros behind column F.
__global__ void __launch_bounds__(kMmaThreads)
    gated_mma_kernel(Bf16* __restrict__ act, std::int64_t act_ld, float* __restrict__ hidden, HalfOperand x,
                     HalfOperand gate_up, const std::int32_t* __restrict__ offset, FfnShape s) {
  __shared__ RowTile found;
  __shared__ HalfSlab<kAlongDepth> left[2], right[2];
  const RowTile tile = find_row_tile<kTile, kMmaThreads>(found, offset, s.E, blockIdx.x);
  if (tile.rows == 0) return;  // all threads of the block
  const std::int64_t f0 = std::int64_t{blockIdx.y} * kHalf;
  const Bf16* gate = gate_up.data + (tile.expert * 2 * s.F + f0) * gate_up.ld;
  const HalfOperand rows = rows_of(x, tile), gates{gate, gate_up.ld, s.F - f0},
                    ups{gate + s.F * gate_up.ld, gate_up.ld, s.F - f0};
  MmaSum sum = {};
  multiply(sum, left, right, s.D, [&](auto& l, auto& r, std::int64_t k) {
    begin_load(l, rows, k, s.D);
    begin_load<0, kHalf>(r, gates, k, s.D);
    begin_load<kHalf, kHalf>(r, ups, k, s.D);
  });
  MOE_UNROLL
  for (int m = 0; m < 2; ++m) MOE_UNROLL
  for (int n = 0; n < 2; ++n) MOE_UNROLL
  for (int i = 0; i < 4; ++i) {
    const std::int64_t r = tile.begin + mma_row(m, i), f = f0 + mma_column(n, i);
    const float h = sum.at[m][n][i], u = sum.at[m][n + 2][i];
    if (mma_row(m, i) >= tile.rows) continue;
    if (f < act_ld) act[r * act_ld + f] = to_bf16(swiglu(h, u));  // swiglu(0, 0) = 0 behind column F
    if (!hidden || f >= s.F) continue;
    hidden[r * 2 * s.F + f] = h;
    hidden[r * 2 * s.F + s.F + f] = u;
  }
}

// y (A, N) = x (A, K) · op(W_e), W_e of `weight_rows` rows of the weight.
template <bool kWeight>
__global__ void __launch_bounds__(kMmaThreads)
    rows_mma_kernel(float* __restrict__ y, HalfOperand x, HalfOperand weight,
                    const std::int32_t* __restrict__ offset, std::int64_t E, std::int64_t N, std::int64_t K) {
  __shared__ RowTile found;
  __shared__ HalfSlab<kAlongDepth> left[2];
  __shared__ HalfSlab<kWeight> right[2];
  const RowTile tile = find_row_tile<kTile, kMmaThreads>(found, offset, E, blockIdx.x);
  if (tile.rows == 0) return;
  const std::int64_t n = std::int64_t{blockIdx.y} * kTile;
  const Bf16* w = weight.data + tile.expert * (kWeight == kAlongDepth ? N : K) * weight.ld;
  const HalfOperand rows = rows_of(x, tile),
                    columns{w + (kWeight == kAlongDepth ? n * weight.ld : n), weight.ld, N - n};
  MmaSum sum = {};
  multiply(sum, left, right, K, [&](auto& l, auto& r, std::int64_t k) {
    begin_load(l, rows, k, K);
    begin_load(r, columns, k, K);
  });
  for_each(sum, [&](int row, int column, float value) {
    if (row < tile.rows && n + column < N) y[(tile.begin + row) * N + n + column] = value;
  });
}

// d(act) = dy·W_down; act and d(hidden) = [dh | du] follow, in bf16, zeros behind their last columns.
__global__ void __launch_bounds__(kMmaThreads)
    gated_backward_mma_kernel(Bf16* __restrict__ act, std::int64_t act_ld, Bf16* __restrict__ dhidden,
                              std::int64_t dhidden_ld, float* __restrict__ hidden, HalfOperand dy,
                              HalfOperand down, const std::int32_t* __restrict__ offset, FfnShape s) {
  __shared__ RowTile found;
  __shared__ HalfSlab<kAlongDepth> left[2];
  __shared__ HalfSlab<kAcrossDepth> right[2];
  const RowTile tile = find_row_tile<kTile, kMmaThreads>(found, offset, s.E, blockIdx.x);
  if (tile.rows == 0) return;
  const std::int64_t f0 = std::int64_t{blockIdx.y} * kTile;
  const HalfOperand rows = rows_of(dy, tile),
                    columns{down.data + tile.expert * s.D * down.ld + f0, down.ld, s.F - f0};
  MmaSum sum = {};
  multiply(sum, left, right, s.D, [&](auto& l, auto& r, std::int64_t k) {
    begin_load(l, rows, k, s.D);
    begin_load(r, columns, k, s.D);
  });
  for_each(sum, [&](int row, int column, float dact) {
    const std::int64_t r = tile.begin + row, f = f0 + column;
    if (row >= tile.rows) return;
    SwigluGradient g = {};
    if (f < s.F) {
      float *h = hidden + r * 2 * s.F + f, *u = h + s.F;
      g = swiglu_backward(dact, *h, *u);
      *h = rounded_to_bf16(g.h);
      *u = rounded_to_bf16(g.u);
      dhidden[r * dhidden_ld + f] = to_bf16(g.h);
    }
    if (f < act_ld) act[r * act_ld + f] = to_bf16(g.act);
    if (s.F + f < dhidden_ld) dhidden[r * dhidden_ld + s.F + f] = to_bf16(g.u);
  });
}

// dW_e (M, N) = left_e^T · right_e, over the rows of expert e = blockIdx.z.
__global__ void __launch_bounds__(kMmaThreads)
    weight_mma_kernel(float* __restrict__ dw, HalfOperand left_rows, HalfOperand right_rows,
                      const std::int32_t* __restrict__ offset, std::int64_t M, std::int64_t N,
                      bool accumulate) {
  __shared__ HalfSlab<kAcrossDepth> left[2], right[2];
  const std::int64_t e = blockIdx.z, m = std::int64_t{blockIdx.x} * kTile,
                     n = std::int64_t{blockIdx.y} * kTile;
  const std::int64_t begin = offset[e], rows = offset[e + 1] - begin;
  if (accumulate && rows == 0) return;
  const HalfOperand a{left_rows.data + begin * left_rows.ld + m, left_rows.ld, M - m},
      b{right_rows.data + begin * right_rows.ld + n, right_rows.ld, N - n};
  MmaSum sum = {};
  multiply(sum, left, right, rows, [&](auto& l, auto& r, std::int64_t k) {
    begin_load(l, a, k, rows);
    begin_load(r, b, k, rows);
  });
  for_each(sum, [&](int row, int column, float value) {
    if (m + row >= M || n + column >= N) return;
    float* out = dw + (e * M + m + row) * N + n + column;
    *out = accumulate ? *out + value : value;
  });
}

void grouped_ffn_mma(Context& ctx, float* y, float* hidden, const float* x, const FfnWeights<float>& w,
                     const std::int32_t* offset, const FfnShape& s) {
  account_forward(ctx, s, hidden != nullptr);
  if (s.A == 0 || s.E == 0) return;
  const Rounded x2(ctx, x, s.A, s.D, s.D, offset + s.E), gate_up(ctx, w.gate_up, s.E * 2 * s.F, s.D, s.D),
      down(ctx, w.down, s.E * s.D, s.F, s.F);
  const std::int64_t act_ld = padded(s.F);
  Scratch<Bf16> act(ctx, s.A * act_ld);
  launch(ctx, gated_mma_kernel, dim3(slots(s), blocks(s.F, kHalf)), kMmaThreads, 0, act.data(), act_ld,
         hidden, HalfOperand(x2), HalfOperand(gate_up), offset, s);
  launch(ctx, rows_mma_kernel<kAlongDepth>, dim3(slots(s), blocks(s.D, kTile)), kMmaThreads, 0, y,
         HalfOperand{act.data(), act_ld, s.A}, HalfOperand(down), offset, s.E, s.D, s.F);
}

void grouped_ffn_backward_mma(Context& ctx, const FfnGradients<float>& g, const float* dy, const float* x,
                              float* hidden, const FfnWeights<float>& w, const std::int32_t* offset,
                              const FfnShape& s) {
  account_backward(ctx, s);
  if (s.E == 0) return;
  const std::int64_t act_ld = padded(s.F), dhidden_ld = padded(2 * s.F);
  Scratch<Bf16> act(ctx, s.A * act_ld), dhidden(ctx, s.A * dhidden_ld);
  const Rounded x2(ctx, x, s.A, s.D, s.D, offset + s.E), dy2(ctx, dy, s.A, s.D, s.D, offset + s.E);
  const HalfOperand act2{act.data(), act_ld, s.A}, dhidden2{dhidden.data(), dhidden_ld, s.A};
  if (s.A > 0) {
    const Rounded gate_up(ctx, w.gate_up, s.E * 2 * s.F, s.D, s.D), down(ctx, w.down, s.E * s.D, s.F, s.F);
    const std::int64_t columns =
        dhidden_ld - s.F;  // of [du | zeros]: at least F, and the zeros of act are in the last tile
    launch(ctx, gated_backward_mma_kernel, dim3(slots(s), blocks(columns, kTile)), kMmaThreads, 0, act.data(),
           act_ld, dhidden.data(), dhidden_ld, hidden, HalfOperand(dy2), HalfOperand(down), offset, s);
    launch(ctx, rows_mma_kernel<kAcrossDepth>, dim3(slots(s), blocks(s.D, kTile)), kMmaThreads, 0, g.x,
           dhidden2, HalfOperand(gate_up), offset, s.E, s.D, 2 * s.F);
  }
  const unsigned E = static_cast<unsigned>(s.E), D = blocks(s.D, kTile);
  launch(ctx, weight_mma_kernel, dim3(blocks(2 * s.F, kTile), D, E), kMmaThreads, 0, g.gate_up, dhidden2,
         HalfOperand(x2), offset, 2 * s.F, s.D, g.accumulate);
  launch(ctx, weight_mma_kernel, dim3(D, blocks(s.F, kTile), E), kMmaThreads, 0, g.down, HalfOperand(dy2),
         act2, offset, s.D, s.F, g.accumulate);
}

}  // namespace moe::MOE_BACKEND
