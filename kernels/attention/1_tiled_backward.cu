// Gradients by tiles of 64 queries and 64 keys, from the saved logsumexp. dq goes by tile of queries over the keys they see;
// dk and dv by tile of keys over the queries that see them, of all heads that share the keys. So every number has one
// writer and one order of summation; the price is that scores and their gradients are made twice.
#include "kernels/attention/tiles.cuh"
#include "kernels/attention/versions.hpp"
#include "kernels/base/trace.hpp"

namespace moe::MOE_BACKEND {

constexpr unsigned kDeltaThreads = 128;

// delta (B, H, Tq) = do · o: what the softmax's gradient subtracts (Dao 2022, equation 4). A thread takes a row.
__global__ void __launch_bounds__(kDeltaThreads)
    delta_kernel(float* __restrict__ delta, const float* __restrict__ d_o, const float* __restrict__ o,
                 AttentionShape s) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= s.B * s.H * s.Tq) return;
  const std::int64_t at = output_head(s, i / (s.H * s.Tq), i / s.Tq % s.H) + i % s.Tq * s.ld_o;
  float sum = 0;
  for (std::int64_t w = 0; w < s.W; ++w) sum += d_o[at + w] * o[at + w];
  delta[i] = sum;
}

// Statistics of a tile's queries, one a thread; read after the next barrier.
struct QueryRows {
  float logsumexp[kTile], delta[kTile];
};
__device__ inline void load_rows(QueryRows& rows, const float* logsumexp, const float* delta, int n) {
  const int mine = static_cast<int>(threadIdx.x);
  rows.logsumexp[mine] = mine < n ? logsumexp[mine] : 0;
  rows.delta[mine] = mine < n ? delta[mine] : 0;
}

__global__ void __launch_bounds__(kTileThreads)
    query_gradient_kernel(float* __restrict__ dq, const float* __restrict__ d_o, const float* __restrict__ q,
                          const float* __restrict__ k, const float* __restrict__ v,
                          const float* __restrict__ logsumexp, const float* __restrict__ delta,
                          AttentionShape s, float scale, std::int64_t tiles) {
  __shared__ Slab left, right;
  __shared__ Square scores;  // [key][query]
  __shared__ QueryRows stats;
  const AttentionTile at = attention_tile(tiles, s.H);
  const std::int64_t key0 = key_head(s, at.b, at.head * s.G / s.H);
  const int rows = rows_left(s.Tq, at.begin);
  const std::int64_t keys = keys_seen(s, at.begin + rows - 1);
  const std::int64_t query0 = query_head(s, at.b, at.head) + at.begin * s.ld_q;
  const Operand queries{q + query0, s.ld_q, rows},
      d_out{d_o + output_head(s, at.b, at.head) + at.begin * s.ld_o, s.ld_o, rows};
  const std::int64_t row0 = (at.b * s.H + at.head) * s.Tq + at.begin;
  load_rows(stats, logsumexp + row0, delta + row0, rows);
  Micro sum = {};
  for (std::int64_t j = 0; j < keys; j += kTile) {
    const int n = rows_left(keys, j);
    const std::int64_t from = key0 + j * s.ld_kv;
    const Mask mask = mask_of(s, at.begin, rows, j, n);
    Micro tile = {};
    multiply<kAlongDepth, kAlongDepth>(tile, left, queries, right, {k + from, s.ld_kv, n}, s.W);
    for_each(tile,
             [&](int query, int key, float x) {  // probabilities; the same thread turns them into gradients
               scores.at[key][query] = mask.seen(query, key) ? expf(scale * x - stats.logsumexp[query]) : 0;
             });
    tile = {};
    multiply<kAlongDepth, kAlongDepth>(tile, left, d_out, right, {v + from, s.ld_kv, n}, s.W);
    for_each(tile, [&](int query, int key, float x) {
      float& d = scores.at[key][query];
      d = mask.seen(query, key) ? scale * d * (x - stats.delta[query]) : 0;
    });
    __syncthreads();
    multiply_square(sum, scores, right, {k + from + at.column, s.ld_kv, s.W - at.column}, n);
  }
  for_each(sum, [&](int query, int column, float x) {
    if (query < rows && at.column + column < s.W) dq[query0 + query * s.ld_q + at.column + column] = x;
  });
}

__global__ void __launch_bounds__(kTileThreads)
    key_gradient_kernel(float* __restrict__ dk, float* __restrict__ dv, const float* __restrict__ d_o,
                        const float* __restrict__ q, const float* __restrict__ k, const float* __restrict__ v,
                        const float* __restrict__ logsumexp, const float* __restrict__ delta,
                        AttentionShape s, float scale, std::int64_t tiles) {
  __shared__ Slab left, right;
  __shared__ Square scores;  // [query][key]
  __shared__ QueryRows stats;
  const AttentionTile at = attention_tile(tiles, s.G);
  const int rows = rows_left(s.Tk, at.begin);
  const std::int64_t share = s.H / s.G;
  const std::int64_t key0 = key_head(s, at.b, at.head) + at.begin * s.ld_kv;
  const std::int64_t first = first_to_see(s, at.begin) / kTile * kTile;
  Micro dk_sum = {}, dv_sum = {};
  for (std::int64_t h = at.head * share; h < (at.head + 1) * share; ++h)
    for (std::int64_t t = first; t < s.Tq; t += kTile) {
      const int n = rows_left(s.Tq, t);
      const std::int64_t row0 = (at.b * s.H + h) * s.Tq + t;
      const float *query = q + query_head(s, at.b, h) + t * s.ld_q,
                  *d_out = d_o + output_head(s, at.b, h) + t * s.ld_o;
      const Mask mask = mask_of(s, t, n, at.begin, rows);
      load_rows(stats, logsumexp + row0, delta + row0, n);
      Micro tile = {};
      multiply<kAlongDepth, kAlongDepth>(tile, left, {k + key0, s.ld_kv, rows}, right, {query, s.ld_q, n},
                                         s.W);
      for_each(tile, [&](int key, int i, float x) {
        scores.at[i][key] = mask.seen(i, key) ? expf(scale * x - stats.logsumexp[i]) : 0;
      });
      __syncthreads();
      multiply_square(dv_sum, scores, right, {d_out + at.column, s.ld_o, s.W - at.column}, n);
      tile = {};
      multiply<kAlongDepth, kAlongDepth>(tile, left, {v + key0, s.ld_kv, rows}, right, {d_out, s.ld_o, n},
                                         s.W);
      for_each(tile, [&](int key, int i, float x) {
        float& d = scores.at[i][key];
        d = mask.seen(i, key) ? scale * d * (x - stats.delta[i]) : 0;
      });
      __syncthreads();
      multiply_square(dk_sum, scores, right, {query + at.column, s.ld_q, s.W - at.column}, n);
    }
  const auto store = [&](float* out, Micro& sum) {
    for_each(sum, [&](int key, int column, float x) {
      if (key < rows && at.column + column < s.W) out[key0 + key * s.ld_kv + at.column + column] = x;
    });
  };
  store(dk, dk_sum);
  store(dv, dv_sum);
}

void attention_backward_tiled(Context& ctx, float* dq, float* dk, float* dv, const float* d_o, const float* q,
                              const float* k, const float* v, const float* o, const float* logsumexp,
                              const AttentionShape& s) {
  account(ctx, sizeof(float) * s.W * (4.0 * s.B * s.Tq * s.H + 4.0 * s.B * s.Tk * s.G),
          10 * attention_pairs(s) * s.W);
  const float scale = attention_scale(s);
  const std::int64_t queries = s.B * s.H * s.Tq;
  Scratch<float> delta(ctx, queries);
  if (queries > 0) {
    launch(ctx, delta_kernel, blocks(queries, kDeltaThreads), kDeltaThreads, 0, delta.data(), d_o, o, s);
    launch(ctx, query_gradient_kernel, attention_grid(s.Tq, s.H, s), kTileThreads, 0, dq, d_o, q, k, v,
           logsumexp, delta.data(), s, scale, blocks(s.Tq, kTile));
  }
  if (s.B * s.Tk > 0)
    launch(ctx, key_gradient_kernel, attention_grid(s.Tk, s.G, s), kTileThreads, 0, dk, dv, d_o, q, k, v,
           logsumexp, delta.data(), s, scale, blocks(s.Tk, kTile));
}

}  // namespace moe::MOE_BACKEND
