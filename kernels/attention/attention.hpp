// Scaled dot-product attention (Vaswani 2017) with grouped key/value heads (Ainslie 2023, arXiv:2305.13245):
// query head h reads KV head h·G/H. Scores are scaled by 1/sqrt(W); softmax statistics are kept as one
// logsumexp a row, and the backward pass recomputes the probabilities from it (Dao 2022, arXiv:2205.14135).
// Cost: 4·B·H·Tq·Tk·W FLOPs forward (half when causal), 10 backward.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

struct AttentionShape {
  std::int64_t B;       // sequences
  std::int64_t Tq, Tk;  // query and key positions
  std::int64_t H, G;    // query heads, KV heads; G divides H
  std::int64_t W;       // head width
  std::int64_t ld_q, ld_kv,
      ld_o;  // elements from one position to the next; q, k, v may be views of one packed tensor
  std::int64_t kv_capacity;       // positions allotted to a sequence in k and v (a KV cache), >= Tk
  std::int64_t query_offset = 0;  // position of the first query: Tk - Tq with a KV cache
  bool causal = true;             // query at position p sees keys at positions <= p
};

// o (B, Tq, H, W); logsumexp (B, H, Tq), null in inference. q (B, Tq, H, W), k and v (B, Tk, G, W).
template <class T>
using Attention = void(Context&, T* o, T* logsumexp, const T* q, const T* k, const T* v,
                       const AttentionShape& shape);

// dq, dk, dv are written, with the leading dimensions of q, k and v.
template <class T>
using AttentionBackward = void(Context&, T* dq, T* dk, T* dv, const T* d_o, const T* q, const T* k,
                               const T* v, const T* o, const T* logsumexp, const AttentionShape& shape);

template <class T>
extern Operation<Attention<T>> attention;
template <class T>
extern Operation<AttentionBackward<T>> attention_backward;

}  // namespace moe
