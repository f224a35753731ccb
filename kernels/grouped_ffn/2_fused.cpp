// Row blocks through all three products while they are in cache: the hidden activations of a block are made, gated and
// consumed by one thread, instead of three passes over (A, 2F) in memory. Forward and the first half of backward go by
// row block; weight gradients go by block of weight rows over all rows of an expert, so that no two threads add to one
// element and the order of the sum is fixed.
#include <algorithm>
#include <vector>

#include "kernels/base/bf16.hpp"
#include "kernels/base/parallel.hpp"
#include "kernels/base/vector_math.hpp"
#include "kernels/gemm/gemm.hpp"
#include "kernels/gemm/rounded_copy.hpp"
#include "kernels/grouped_ffn/versions.hpp"

namespace moe::detail {
namespace {

// Rows a block. Fewer repeat the library's packing of the weights too often; more push the block's hidden rows
// (kRows · 2F · 4 bytes) out of the second-level cache.
constexpr std::int64_t kRows = 128;

struct Block {
  std::int64_t expert, begin, rows;
};

std::vector<Block> row_blocks(const std::int32_t* offset, std::int64_t E) {
  std::vector<Block> blocks;
  for (std::int64_t e = 0; e < E; ++e) {
    const std::int64_t rows = offset[e + 1] - offset[e], pieces = (rows + kRows - 1) / kRows;
    for (std::int64_t i = 0; i < pieces; ++i) {  // equal pieces: no block of one row behind a full one
      const std::int64_t begin = rows * i / pieces, end = rows * (i + 1) / pieces;
      blocks.push_back({e, offset[e] + begin, end - begin});
    }
  }
  return blocks;
}

// How a product takes what was computed just before it.
struct AsItIs {
  template <class T>
  static T operand(T x) {
    return x;
  }
};
struct AsBf16 {
  static float operand(float x) { return rounded_to_bf16(x); }
};

// act (rows, F) = silu(h) ⊙ u of rows [h | u] (rows, 2F)
template <class Taken, class T>
void gate(T* __restrict act, const T* __restrict hidden, std::int64_t rows, std::int64_t F) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const T *h = hidden + r * 2 * F, *u = h + F;
    T* out = act + r * F;
#pragma omp simd
    for (std::int64_t f = 0; f < F; ++f) out[f] = Taken::operand(h[f] * sigmoid(h[f]) * u[f]);
  }
}

// act (rows, F): holds d(act), leaves as act; hidden (rows, 2F): holds [h | u], leaves as [dh | du].
template <class Taken, class T>
void gate_backward(T* __restrict act, T* __restrict hidden, std::int64_t rows, std::int64_t F) {
  for (std::int64_t r = 0; r < rows; ++r) {
    T* __restrict h = hidden + r * 2 * F, * __restrict u = h + F, * __restrict a = act + r * F;
#pragma omp simd
    for (std::int64_t f = 0; f < F; ++f) {
      const T sig = sigmoid(h[f]), silu = h[f] * sig, dact = a[f];
      a[f] = Taken::operand(silu * u[f]);
      h[f] = Taken::operand(dact * u[f] * (sig + silu * (1 - sig)));
      u[f] = Taken::operand(dact * silu);
    }
  }
}

double weight_bytes(const FfnShape& s, std::size_t element) {
  return 3.0 * s.E * s.D * s.F * element;
}

template <class Taken, class T>
void forward(Context& ctx, T* y, T* hidden, const T* x, const FfnWeights<T>& w, const std::int32_t* offset,
             const FfnShape& s) {
  const double rows = offset[s.E] - offset[0];
  account(ctx, weight_bytes(s, sizeof(T)) + sizeof(T) * rows * (2 * s.D + (hidden ? 2 * s.F : 0)),
          6 * rows * s.D * s.F);
  const std::vector<Block> blocks = row_blocks(offset, s.E);
  const std::int64_t per_worker = kRows * s.F * (hidden ? 1 : 3);
  Scratch<T> scratch(ctx, per_worker * ctx.threads);
  parallel_for(ctx, static_cast<std::int64_t>(blocks.size()), 1, [&](std::int64_t i, std::int64_t) {
    const auto [e, begin, n] = blocks[i];
    T* act = scratch.data() + per_worker * current_worker();
    T* h = hidden ? hidden + begin * 2 * s.F : act + kRows * s.F;
    gemm_tile(ctx, h, x + begin * s.D, w.gate_up + e * 2 * s.F * s.D,
              gemm_shape(n, 2 * s.F, s.D, Transpose::no, Transpose::yes));
    gate<Taken>(act, h, n, s.F);
    gemm_tile(ctx, y + begin * s.D, act, w.down + e * s.D * s.F,
              gemm_shape(n, s.D, s.F, Transpose::no, Transpose::yes));
  });
}

// act (A, F) and hidden (A, 2F) leave as the gated activations and [dh | du]; dx is complete.
template <class Taken, class T>
void backward_rows(Context& ctx, T* dx, T* act, T* hidden, const T* dy, const FfnWeights<T>& w,
                   const std::vector<Block>& blocks, const FfnShape& s) {
  parallel_for(ctx, static_cast<std::int64_t>(blocks.size()), 1, [&](std::int64_t i, std::int64_t) {
    const auto [e, begin, n] = blocks[i];
    T *a = act + begin * s.F, *h = hidden + begin * 2 * s.F;
    gemm_tile(ctx, a, dy + begin * s.D, w.down + e * s.D * s.F, gemm_shape(n, s.F, s.D));
    gate_backward<Taken>(a, h, n, s.F);
    gemm_tile(ctx, dx + begin * s.D, h, w.gate_up + e * 2 * s.F * s.D, gemm_shape(n, s.D, 2 * s.F));
  });
}

// One product left^T · right over the rows of an expert, for rows [begin, begin+count) of its weight gradient.
struct WeightTask {
  std::int64_t expert, begin, count;
  bool down;  // of W_down (D, F), else of [W_gate; W_up] (2F, D)
};

std::vector<WeightTask> weight_tasks(const FfnShape& s) {
  constexpr std::int64_t kMost = 256;  // weight rows a task: two tasks or more even for a single expert
  std::vector<WeightTask> tasks;
  for (std::int64_t e = 0; e < s.E; ++e)
    for (const bool down : {false, true}) {
      const std::int64_t rows = down ? s.D : 2 * s.F,
                         pieces = std::max((rows + kMost - 1) / kMost,
                                           s.E < 4 ? std::min<std::int64_t>(4, rows) : 1);
      for (std::int64_t i = 0; i < pieces; ++i)
        tasks.push_back({e, rows * i / pieces, rows * (i + 1) / pieces - rows * i / pieces, down});
    }
  return tasks;
}

template <class T>
void backward_weights(Context& ctx, const FfnGradients<T>& g, const T* dy, const T* x, const T* act,
                      const T* dhidden, const std::int32_t* offset, const FfnShape& s) {
  const std::vector<WeightTask> tasks = weight_tasks(s);
  parallel_for(ctx, static_cast<std::int64_t>(tasks.size()), 1, [&](std::int64_t i, std::int64_t) {
    const WeightTask& t = tasks[i];
    const std::int64_t begin = offset[t.expert], rows = offset[t.expert + 1] - begin;
    const std::int64_t M = t.down ? s.D : 2 * s.F, N = t.down ? s.F : s.D;
    T* out = (t.down ? g.down : g.gate_up) + (t.expert * M + t.begin) * N;
    const T* left = t.down ? dy + begin * s.D : dhidden + begin * 2 * s.F;
    const T* right = t.down ? act + begin * s.F : x + begin * s.D;
    if (rows == 0) {
      if (!g.accumulate) std::fill_n(out, t.count * N, T(0));
      return;
    }
    GemmShape shape = gemm_shape(t.count, N, rows, Transpose::yes, Transpose::no, g.accumulate ? 1 : 0);
    shape.lda = M;
    gemm_tile(ctx, out, left + t.begin, right, shape);
  });
}

template <class Taken, class T>
void backward(Context& ctx, const FfnGradients<T>& g, const T* dy, const T* x, T* hidden,
              const FfnWeights<T>& w, const std::int32_t* offset, const FfnShape& s) {
  const double rows = offset[s.E] - offset[0];
  account(ctx, 2 * weight_bytes(s, sizeof(T)) + sizeof(T) * rows * (3 * s.D + 2 * s.F),
          12 * rows * s.D * s.F);
  Scratch<T> act(ctx, s.A * s.F);
  backward_rows<Taken>(ctx, g.x, act.data(), hidden, dy, w, row_blocks(offset, s.E), s);
  backward_weights(ctx, g, dy, x, act.data(), hidden, offset, s);
}

}  // namespace

template <class T>
void grouped_ffn_fused(Context& ctx, T* y, T* hidden, const T* x, const FfnWeights<T>& w,
                       const std::int32_t* offset, const FfnShape& s) {
  forward<AsItIs>(ctx, y, hidden, x, w, offset, s);
}

template <class T>
void grouped_ffn_backward_fused(Context& ctx, const FfnGradients<T>& g, const T* dy, const T* x, T* hidden,
                                const FfnWeights<T>& w, const std::int32_t* offset, const FfnShape& s) {
  backward<AsItIs>(ctx, g, dy, x, hidden, w, offset, s);
}

void grouped_ffn_bf16(Context& ctx, float* y, float* hidden, const float* x, const FfnWeights<float>& w,
                      const std::int32_t* offset, const FfnShape& s) {
  RoundedCopy x2(ctx, x, offset[s.E], s.D, s.D), gate_up(ctx, w.gate_up, s.E * 2 * s.F, s.D, s.D),
      down(ctx, w.down, s.E * s.D, s.F, s.F);
  forward<AsBf16>(ctx, y, hidden, x2.data(), {gate_up.data(), down.data()}, offset, s);
}

void grouped_ffn_backward_bf16(Context& ctx, const FfnGradients<float>& g, const float* dy, const float* x,
                               float* hidden, const FfnWeights<float>& w, const std::int32_t* offset,
                               const FfnShape& s) {
  RoundedCopy x2(ctx, x, offset[s.E], s.D, s.D), dy2(ctx, dy, offset[s.E], s.D, s.D),
      gate_up(ctx, w.gate_up, s.E * 2 * s.F, s.D, s.D), down(ctx, w.down, s.E * s.D, s.F, s.F);
  backward<AsBf16>(ctx, g, dy2.data(), x2.data(), hidden, {gate_up.data(), down.data()}, offset, s);
}

#define MOE_INSTANTIATE(T)                                                                               \
  template void grouped_ffn_fused(Context&, T*, T*, const T*, const FfnWeights<T>&, const std::int32_t*, \
                                  const FfnShape&);                                                      \
  template void grouped_ffn_backward_fused(Context&, const FfnGradients<T>&, const T*, const T*, T*,     \
                                           const FfnWeights<T>&, const std::int32_t*, const FfnShape&);
MOE_INSTANTIATE(float)
MOE_INSTANTIATE(double)
#undef MOE_INSTANTIATE

}  // namespace moe::detail
