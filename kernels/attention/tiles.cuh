// What the attention kernels share: where a block's tile lies, and who sees what.
#pragma once

#include "kernels/attention/attention.hpp"
#include "kernels/gemm/register_tile.cuh"

namespace moe::MOE_BACKEND {

// Keys that query t may see: 0 .. visible-1.
__device__ inline std::int64_t keys_seen(const AttentionShape& s, std::int64_t t) {
  const std::int64_t up_to = s.query_offset + t + 1;
  return s.causal && up_to < s.Tk ? up_to : s.Tk;
}
// The first query that may see key j.
__device__ inline std::int64_t first_to_see(const AttentionShape& s, std::int64_t j) {
  return s.causal && j > s.query_offset ? j - s.query_offset : 0;
}

// Where a head of sequence b begins: query head h in q or o, KV head g in k or v.
__device__ inline std::int64_t query_head(const AttentionShape& s, std::int64_t b, std::int64_t h) {
  return b * s.Tq * s.ld_q + h * s.W;
}
__device__ inline std::int64_t output_head(const AttentionShape& s, std::int64_t b, std::int64_t h) {
  return b * s.Tq * s.ld_o + h * s.W;
}
__device__ inline std::int64_t key_head(const AttentionShape& s, std::int64_t b, std::int64_t g) {
  return b * s.kv_capacity * s.ld_kv + g * s.W;
}

// A block's place in a grid of (tiles of positions · heads · sequences, columns of the head width): the scores are made anew
// for every 64 columns of a wide head, so that the tile of the result stays in registers for any width.
struct AttentionTile {
  std::int64_t b, head, begin;  // sequence, head, first position
  std::int64_t column;          // of the head width
};
__device__ inline AttentionTile attention_tile(std::int64_t tiles, std::int64_t heads) {
  const std::int64_t i = blockIdx.x;
  return {i / (tiles * heads), i / tiles % heads, i % tiles * kTile, std::int64_t{blockIdx.y} * kTile};
}
inline dim3 attention_grid(std::int64_t positions, std::int64_t heads, const AttentionShape& s) {
  return {static_cast<unsigned>(blocks(positions, kTile) * heads * s.B), blocks(s.W, kTile)};
}

// Rows begin .. of a matrix of `rows` rows, at most a tile of them.
__device__ inline int rows_left(std::int64_t rows, std::int64_t begin) {
  return static_cast<int>(rows - begin < kTile ? rows - begin : kTile);
}

// Which pairs of a tile count. Numbers relative to the tile's corner are small, and spare the kernels registers.
struct Mask {
  int queries, keys;  // that the tile has
  int diagonal;       // query i sees keys up to i + diagonal
  __device__ bool seen(int query, int key) const {
    return query < queries && key < keys && key <= query + diagonal;
  }
  __device__ int keys_of(int query) const {
    const int up_to = query + diagonal + 1, most = up_to < keys ? up_to : keys;
    return query < queries && most > 0 ? most : 0;
  }
};
__device__ inline Mask mask_of(const AttentionShape& s, std::int64_t query, int queries, std::int64_t key,
                               int keys) {
  const std::int64_t diagonal = s.causal ? s.query_offset + query - key : kTile;
  return {queries, keys, static_cast<int>(diagonal > kTile ? kTile : diagonal < -kTile ? -kTile : diagonal)};
}

inline float attention_scale(const AttentionShape& s) {
  return 1 / std::sqrt(static_cast<float>(s.W));
}

// Query-key pairs that count, for the accounts.
inline double attention_pairs(const AttentionShape& s) {
  double pairs = 0;
  for (std::int64_t t = 0; t < s.Tq; ++t)
    pairs += static_cast<double>(s.causal ? std::min(s.Tk, s.query_offset + t + 1) : s.Tk);
  return pairs * s.B * s.H;
}

}  // namespace moe::MOE_BACKEND
