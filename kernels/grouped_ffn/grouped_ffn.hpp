// The experts' SwiGLU feed-forward networks (Shazeer 2020, arXiv:2002.05202) over rows grouped by expert:
//
//   h = x·W_gate^T, u = x·W_up^T, y = (silu(h) ⊙ u)·W_down^T      silu(h) = h·sigmoid(h)
//
// Expert e owns rows offset[e] .. offset[e+1]; groups are ragged, never padded (dropless, as in MegaBlocks,
// arXiv:2211.15841). Rows from offset[E] on are neither read nor written. W_gate and W_up are packed so that one
// GEMM computes both. A dense FFN is the case E = 1, offset = {0, A}.
// Cost: 6·rows·D·F FLOPs forward, 12·rows·D·F backward.
//
// With ctx.matrix_inputs bf16 every operand of the float products is rounded to bf16: x, dy, the weights, silu(h) ⊙ u and the
// gradient of [h | u]. Sums, results and [h | u] stay f32.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

struct FfnShape {
  std::int64_t A;  // bound on the number of rows, known without reading offset
  std::int64_t E;  // experts
  std::int64_t D;  // model width
  std::int64_t F;  // hidden width
};

template <class T>
struct FfnWeights {
  const T* gate_up;  // (E, 2F, D): rows 0..F-1 of an expert W_gate, F..2F-1 W_up
  const T* down;     // (E, D, F)
};

template <class T>
struct FfnGradients {
  T* x;        // (A, D) written
  T* gate_up;  // (E, 2F, D)
  T* down;     // (E, D, F)
  bool
      accumulate;  // weight gradients: add to what is there, or overwrite (an expert without rows gets zeros)
};

// y (A, D); hidden (A, 2F) receives [h | u], which the backward pass needs; may be null in inference.
template <class T>
using GroupedFfn = void(Context&, T* y, T* hidden, const T* x /*(A, D)*/, const FfnWeights<T>& weights,
                        const std::int32_t* offset /*(E+1)*/, const FfnShape& shape);

// hidden is consumed: it leaves holding the gradient of [h | u], as the products took it.
template <class T>
using GroupedFfnBackward = void(Context&, const FfnGradients<T>& gradients, const T* dy /*(A, D)*/,
                                const T* x /*(A, D)*/, T* hidden /*(A, 2F)*/, const FfnWeights<T>& weights,
                                const std::int32_t* offset /*(E+1)*/, const FfnShape& shape);

template <class T>
extern Operation<GroupedFfn<T>> grouped_ffn;
template <class T>
extern Operation<GroupedFfnBackward<T>> grouped_ffn_backward;

}  // namespace moe
