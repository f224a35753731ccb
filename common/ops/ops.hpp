// The operations a model is written in: kernels on tensors, each with its node on the tape. One file an operation.
//
// N rows stand for tokens (N = B·T). Integer tensors are i32 and take no gradient.
#pragma once

#include "common/autograd/forward_context.hpp"

namespace moe::ops {

// y (N, O) = x (N, I) · w^T, w (O, I).
Value linear(ForwardContext& f, const Value& x, Parameter& w);
Value linear(ForwardContext& f, const Value& x, const Value& w);  // w made by another node, or constant

// x with a shorter mantissa (kernels/elementwise). The gradient passes as if nothing had been rounded.
Value round_mantissa(ForwardContext& f, const Value& x, int bits);

// y (N, D) = table[id], table (V, D), id (N).
Value embedding(ForwardContext& f, const Tensor& id, Parameter& table);

// y (N, D) = w ⊙ x / rms(x).
Value rms_norm(ForwardContext& f, const Value& x, Parameter& w, double epsilon);

// RMSNorm of all queries of a row and, apart, of all its keys, before they are rotated (OLMoE, arXiv:2409.02060; values pass).
// qkv (N, (H+2G)·W) as in self_attention, q (H·W), k (G·W). Without a tape qkv is overwritten.
Value qk_norm(ForwardContext& f, const Value& qkv, Parameter& q, Parameter& k, double epsilon);

// a + b, same shapes.
Value add(ForwardContext& f, const Value& a, const Value& b);

struct SelfAttention {
  std::int64_t B, T;     // sequences and positions of this call
  std::int64_t H, G, W;  // query heads, KV heads, head width
  double rope_theta;
};

// Keys and values of one layer for one sequence that grows: generation.
struct KvCache {
  Tensor kv;                // (capacity, 2·G·W): keys, then values of a position
  std::int64_t length = 0;  // positions filled
};

// Causal self-attention with rotary positions. qkv (N, (H+2G)·W) packs queries, keys, values and is rotated in place
// (its producer must not need it any more); position (N). Returns (N, H·W).
// With a cache (inference, B = 1) the T new positions are appended to it and attend to all of it.
Value self_attention(ForwardContext& f, const Value& qkv, const Tensor& position, const SelfAttention& shape,
                     KvCache* cache = nullptr);

// Experts' SwiGLU over rows (A, D) grouped by expert; gate_up (E, 2F, D), down (E, D, F), offset (E+1).
Value grouped_ffn(ForwardContext& f, const Value& rows, Parameter& gate_up, Parameter& down,
                  const Tensor& offset);

// probability (N, E) and logsumexp (N) of scores (N, E). Only the probability is differentiable.
struct SoftmaxResult {
  Value probability;
  Tensor logsumexp;
};
SoftmaxResult softmax(ForwardContext& f, const Value& scores);

// The K best experts of each row: expert (N, K) and weight (N, K). kernels/top_k_gate has the rules for ties and NaN.
struct TopK {
  Tensor expert;
  Value weight;
};
TopK top_k_gate(ForwardContext& f, const Value& score, std::int64_t K, bool renormalise);

// Between token order and expert order: the assignments of each token, and the row that each went to (TokenRows of kernels/rows).
struct RowMap {
  Tensor row;                  // (A): -1 for a dropped assignment
  std::int64_t per_token = 0;  // K where every token has as many; elsewhere 0, and then both of these:
  Tensor token_offset;         // (N+1): token n's assignments begin at token_offset[n]
  Tensor element;              // (A): where each assignment, and so its weight, stands in the router's list
  std::int64_t N() const { return per_token > 0 ? row.numel() / per_token : token_offset.numel() - 1; }
  std::int64_t A() const { return row.numel(); }
};

// Dispatch of token choice: expert (N, K) is sorted, stably, into the plan for E experts, and x (N, D) moves with it.
struct Dispatched {
  Value rows;     // (N·K, D); from offset[E] on unwritten
  RowMap map;     // map.row (N·K): -1 where the expert is none of 0 .. E-1
  Tensor offset;  // (E+1)
};
Dispatched dispatch_rows(ForwardContext& f, const Value& x, const Tensor& expert, std::int64_t E);
// Dispatch: rows (A, D), each its token's row of x (N, D). Rows of nobody are left unwritten.
Value gather_rows(ForwardContext& f, const Value& x, const RowMap& map);
// Combine: y (N, D) = Σ over a token's rows of weight·row. rows (A, D), weight (A) as the router listed it.
Value combine_rows(ForwardContext& f, const Value& rows, const Value& weight, const RowMap& map);

// Mean next-token loss in nats (1). target (N), negative: not counted. Consumes the logits' storage when training.
Value cross_entropy(ForwardContext& f, const Value& logits, const Tensor& target);
// Each row's own loss (N), without gradient.
Tensor row_losses(Context& ctx, const Tensor& logits, const Tensor& target);

// Router losses (1); kernels/balance_loss has the formulas. count (E), or (S, E) of S groups of tokens: choices before any
// capacity dropping.
Value balance_loss(ForwardContext& f, const Value& probability, const Tensor& count);
Value squared_variation(ForwardContext& f, const Value& x);       // CV² of the column sums of x (N, E)
Value entropy_loss(ForwardContext& f, const Value& probability);  // mean over tokens
Value z_loss(ForwardContext& f, const Value& logits, const SoftmaxResult& softmax);
// Both of a router's usual losses and the counts (E) of its choices expert (N, K), in one pass over the tokens.
struct GateLosses {
  Tensor count;
  Value balance, z;
};
GateLosses gate_losses(ForwardContext& f, const Value& logits, const SoftmaxResult& softmax,
                       const Tensor& expert);

// Runs `function` without recording it and again during backward, so that only its inputs are kept (Chen 2016,
// arXiv:1604.06174). Losses it makes must be among its outputs; the sinks are null inside.
using Segment = std::function<std::vector<Value>(ForwardContext&, const std::vector<Value>&)>;
std::vector<Value> recompute(ForwardContext& f, const std::vector<Value>& inputs, const Segment& function);

}  // namespace moe::ops
