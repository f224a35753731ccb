// A block takes 64 queries of one head through all the keys they see, 64 at a time: a 64×64 tile of scores, their softmax
// relative to the greatest score so far, and the weighted sum of values, which is rescaled when that grows (Dao 2022,
// arXiv:2205.14135, algorithm 1). Scores never reach global memory.
#include "kernels/attention/tiles.cuh"
#include "kernels/attention/versions.hpp"
#include "kernels/base/trace.hpp"

namespace moe::MOE_BACKEND {
namespace {

// One query's softmax so far.
struct Running {
  float top = -INFINITY, sum = 0;
};

// Turns the scores of query `row` into exp(score - top), zero from `seen` on; returns what the sums so far must be
// multiplied with. NaN passes through.
__device__ float fold_in(Running& r, Square& scores, int row, int seen) {
  float top = r.top;
  for (int key = 0; key < seen; ++key) top = fmaxf(top, scores.at[key][row]);
  const float factor = seen > 0 ? expf(r.top - top) : 1;
  float sum = 0;
  for (int key = 0; key < kTile; ++key) {
    const float p = key < seen ? expf(scores.at[key][row] - top) : 0.f;
    scores.at[key][row] = p;
    sum += p;
  }
  r = {top, factor * r.sum + sum};
  return factor;
}

__device__ void multiply_rows(Micro& sum, const float* factor) {
  for_each(sum, [&](int row, int, float& x) { x *= factor[row]; });
}

}  // namespace

__global__ void __launch_bounds__(kTileThreads)
    attention_kernel(float* __restrict__ o, float* __restrict__ logsumexp, const float* __restrict__ q,
                     const float* __restrict__ k, const float* __restrict__ v, AttentionShape s, float scale,
                     std::int64_t tiles) {
  __shared__ Slab left, right;
  __shared__ Square scores;  // [key][query], as the left operand of the second product
  __shared__ float factor[kTile];
  const AttentionTile at = attention_tile(tiles, s.H);
  const std::int64_t key0 = key_head(s, at.b, at.head * s.G / s.H);
  const int rows = rows_left(s.Tq, at.begin);
  const std::int64_t keys = keys_seen(s, at.begin + rows - 1);  // of the last query
  const Operand queries{q + query_head(s, at.b, at.head) + at.begin * s.ld_q, s.ld_q, rows};
  const int mine = static_cast<int>(threadIdx.x);  // a thread keeps the softmax of one query
  Running running;
  Micro sum = {};
  for (std::int64_t j = 0; j < keys; j += kTile) {
    const int n = rows_left(keys, j);
    const std::int64_t from = key0 + j * s.ld_kv;
    Micro tile = {};
    multiply<kAlongDepth, kAlongDepth>(tile, left, queries, right, {k + from, s.ld_kv, n}, s.W);
    for_each(tile, [&](int query, int key, float x) { scores.at[key][query] = scale * x; });
    __syncthreads();
    factor[mine] = fold_in(running, scores, mine, mask_of(s, at.begin, rows, j, n).keys_of(mine));
    __syncthreads();
    multiply_rows(sum, factor);
    multiply_square(sum, scores, right, {v + from + at.column, s.ld_kv, s.W - at.column}, n);
  }
  factor[mine] = 1 / running.sum;
  __syncthreads();
  multiply_rows(sum, factor);
  float* out = o + output_head(s, at.b, at.head) + at.begin * s.ld_o + at.column;
  for_each(sum, [&](int query, int column, float x) {
    if (query < rows && at.column + column < s.W) out[query * s.ld_o + column] = x;
  });
  if (logsumexp && at.column == 0 && mine < rows)
    logsumexp[(at.b * s.H + at.head) * s.Tq + at.begin + mine] = running.top + logf(running.sum);
}

void attention_tiled(Context& ctx, float* o, float* logsumexp, const float* q, const float* k, const float* v,
                     const AttentionShape& s) {
  MOE_CHECK(s.H % s.G == 0, s.G, " KV heads for ", s.H, " query heads");
  account(ctx, sizeof(float) * s.W * (2.0 * s.B * s.Tq * s.H + 2.0 * s.B * s.Tk * s.G),
          4 * attention_pairs(s) * s.W);
  if (s.B == 0 || s.Tq == 0) return;
  launch(ctx, attention_kernel, attention_grid(s.Tq, s.H, s), kTileThreads, 0, o, logsumexp, q, k, v, s,
         attention_scale(s), blocks(s.Tq, kTile));
}

}  // namespace moe::MOE_BACKEND
