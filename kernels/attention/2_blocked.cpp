// Blocks of queries through matrix products. A causal block multiplies only with the keys its last query can see, so
// about half of the work above the diagonal is never done; scores live in a scratch of one block, not in (B, H, T, T).
#include "kernels/attention/versions.hpp"
#include "kernels/base/parallel.hpp"
#include "kernels/base/vector_math.hpp"
#include "kernels/gemm/gemm.hpp"

namespace moe::detail {
namespace {

constexpr std::int64_t kQueries = 64;  // queries a block: 64 × 128 scores are 32 KiB

// c (M, N) = alpha·a·b + beta·c with explicit leading dimensions.
template <class T>
void multiply(Context& ctx, T* c, std::int64_t ldc, const T* a, std::int64_t lda, Transpose ta, const T* b,
              std::int64_t ldb, Transpose tb, std::int64_t M, std::int64_t N, std::int64_t K, double alpha,
              double beta) {
  gemm_tile(ctx, c, a, b, GemmShape{M, N, K, ta, tb, lda, ldb, ldc, alpha, beta});
}

struct Block {
  std::int64_t begin, rows, keys;  // queries [begin, begin+rows) see at most `keys` keys
};

Block block_at(const AttentionShape& s, std::int64_t begin) {
  const std::int64_t end = std::min(begin + kQueries, s.Tq);
  return {begin, end - begin, visible_keys(s, end - 1)};
}

// Softmax over the visible part of each row of p (rows, keys); zero beyond it.
template <class T>
void masked_softmax(T* p, T* logsumexp, const Block& block, const AttentionShape& s) {
  for (std::int64_t r = 0; r < block.rows; ++r) {
    T* __restrict row = p + r * block.keys;
    const std::int64_t n = visible_keys(s, block.begin + r);
    T most = row[0], sum = 0;
#pragma omp simd reduction(max : most)
    for (std::int64_t j = 0; j < n; ++j) most = row[j] > most ? row[j] : most;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t j = 0; j < n; ++j) {
      row[j] = exp_fast(row[j] - most);
      sum += row[j];
    }
    const T inverse = 1 / sum;
    for (std::int64_t j = 0; j < n; ++j) row[j] *= inverse;
    std::fill(row + n, row + block.keys, T(0));
    if (logsumexp) logsumexp[r] = most + std::log(sum);
  }
}

// p: scores, leaves as probabilities; dp: d(probability), leaves as d(score)·scale. Zero beyond the visible part.
template <class T>
void softmax_backward_rows(T* p, T* dp, const T* logsumexp, const T* d_o, const T* o, const Block& block,
                           const AttentionShape& s) {
  const T scale = score_scale<T>(s);
  for (std::int64_t r = 0; r < block.rows; ++r) {
    T* __restrict row = p + r * block.keys, * __restrict drow = dp + r * block.keys;
    const std::int64_t n = visible_keys(s, block.begin + r);
    const T *a = d_o + r * s.ld_o, *c = o + r * s.ld_o;
    T delta = 0;
#pragma omp simd reduction(+ : delta)
    for (std::int64_t w = 0; w < s.W; ++w) delta += a[w] * c[w];
    const T lse = logsumexp[r];
#pragma omp simd
    for (std::int64_t j = 0; j < n; ++j) {
      row[j] = exp_fast(row[j] - lse);
      drow[j] = scale * row[j] * (drow[j] - delta);
    }
    std::fill(row + n, row + block.keys, T(0));
    std::fill(drow + n, drow + block.keys, T(0));
  }
}

double pair_count(const AttentionShape& s) {  // query-key pairs that count
  double pairs = 0;
  for (std::int64_t t = 0; t < s.Tq; ++t) pairs += static_cast<double>(visible_keys(s, t));
  return pairs * s.B * s.H;
}

}  // namespace

template <class T>
void attention_blocked(Context& ctx, T* o, T* logsumexp, const T* q, const T* k, const T* v,
                       const AttentionShape& s) {
  MOE_CHECK(s.H % s.G == 0, s.G, " KV heads for ", s.H, " query heads");
  account(ctx, sizeof(T) * s.W * (2.0 * s.B * s.Tq * s.H + 2.0 * s.B * s.Tk * s.G), 4 * pair_count(s) * s.W);
  Scratch<T> scratch(ctx, ctx.threads * kQueries * s.Tk);
  parallel_for(ctx, s.B * s.H, 1, [&](std::int64_t i, std::int64_t) {
    const std::int64_t b = i / s.H, h = i % s.H, kv = key_at(s, b, h / (s.H / s.G));
    T* p = scratch.data() + current_worker() * kQueries * s.Tk;
    for (std::int64_t begin = 0; begin < s.Tq; begin += kQueries) {
      const Block block = block_at(s, begin);
      const T* query = q + query_at(s, b, h) + begin * s.ld_q;
      T* out = o + output_at(s, b, h) + begin * s.ld_o;
      multiply(ctx, p, block.keys, query, s.ld_q, Transpose::no, k + kv, s.ld_kv, Transpose::yes, block.rows,
               block.keys, s.W, score_scale<T>(s), 0);
      masked_softmax(p, logsumexp ? logsumexp + i * s.Tq + begin : nullptr, block, s);
      multiply(ctx, out, s.ld_o, p, block.keys, Transpose::no, v + kv, s.ld_kv, Transpose::no, block.rows,
               s.W, block.keys, 1, 0);
    }
  });
}

template <class T>
void attention_backward_blocked(Context& ctx, T* dq, T* dk, T* dv, const T* d_o, const T* q, const T* k,
                                const T* v, const T* o, const T* logsumexp, const AttentionShape& s) {
  account(ctx, sizeof(T) * s.W * (4.0 * s.B * s.Tq * s.H + 4.0 * s.B * s.Tk * s.G), 10 * pair_count(s) * s.W);
  Scratch<T> scratch(ctx, ctx.threads * 2 * kQueries * s.Tk);
  parallel_for(ctx, s.B * s.G, 1, [&](std::int64_t i, std::int64_t) {  // one writer of dk and dv
    const std::int64_t b = i / s.G, g = i % s.G, kv = key_at(s, b, g);
    T *p = scratch.data() + current_worker() * 2 * kQueries * s.Tk, *dp = p + kQueries * s.Tk;
    for (std::int64_t j = 0; j < s.Tk; ++j) {
      std::fill_n(dk + kv + j * s.ld_kv, s.W, T(0));
      std::fill_n(dv + kv + j * s.ld_kv, s.W, T(0));
    }
    for (std::int64_t h = g * (s.H / s.G); h < (g + 1) * (s.H / s.G); ++h)
      for (std::int64_t begin = 0; begin < s.Tq; begin += kQueries) {
        const Block block = block_at(s, begin);
        const std::int64_t at_q = query_at(s, b, h) + begin * s.ld_q,
                           at_o = output_at(s, b, h) + begin * s.ld_o;
        const std::int64_t R = block.rows, C = block.keys;
        multiply(ctx, p, C, q + at_q, s.ld_q, Transpose::no, k + kv, s.ld_kv, Transpose::yes, R, C, s.W,
                 score_scale<T>(s), 0);
        multiply(ctx, dp, C, d_o + at_o, s.ld_o, Transpose::no, v + kv, s.ld_kv, Transpose::yes, R, C, s.W, 1,
                 0);
        softmax_backward_rows(p, dp, logsumexp + (b * s.H + h) * s.Tq + begin, d_o + at_o, o + at_o, block,
                              s);
        multiply(ctx, dq + at_q, s.ld_q, dp, C, Transpose::no, k + kv, s.ld_kv, Transpose::no, R, s.W, C, 1,
                 0);
        multiply(ctx, dk + kv, s.ld_kv, dp, C, Transpose::yes, q + at_q, s.ld_q, Transpose::no, C, s.W, R, 1,
                 1);
        multiply(ctx, dv + kv, s.ld_kv, p, C, Transpose::yes, d_o + at_o, s.ld_o, Transpose::no, C, s.W, R, 1,
                 1);
      }
  });
}

#define MOE_INSTANTIATE(T)                                                                                \
  template void attention_blocked(Context&, T*, T*, const T*, const T*, const T*, const AttentionShape&); \
  template void attention_backward_blocked(Context&, T*, T*, T*, const T*, const T*, const T*, const T*,  \
                                           const T*, const T*, const AttentionShape&);
MOE_INSTANTIATE(float)
MOE_INSTANTIATE(double)
#undef MOE_INSTANTIATE

}  // namespace moe::detail
