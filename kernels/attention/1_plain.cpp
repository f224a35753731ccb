// The textbook: one query at a time, one key at a time.
#include <vector>

#include "kernels/attention/versions.hpp"
#include "kernels/base/parallel.hpp"

namespace moe::detail {
namespace {

template <class T>
T dot(const T* a, const T* b, std::int64_t W) {
  T sum = 0;
  for (std::int64_t i = 0; i < W; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

template <class T>
void attention_plain(Context& ctx, T* o, T* logsumexp, const T* q, const T* k, const T* v,
                     const AttentionShape& s) {
  parallel_for(ctx, s.B * s.H, 1, [&](std::int64_t i, std::int64_t) {
    const std::int64_t b = i / s.H, h = i % s.H, kv = key_at(s, b, h / (s.H / s.G));
    std::vector<T> p(s.Tk);
    for (std::int64_t t = 0; t < s.Tq; ++t) {
      const std::int64_t n = visible_keys(s, t);
      const T* query = q + query_at(s, b, h) + t * s.ld_q;
      T* out = o + output_at(s, b, h) + t * s.ld_o;
      T most = -HUGE_VAL, sum = 0;
      for (std::int64_t j = 0; j < n; ++j) {
        p[j] = score_scale<T>(s) * dot(query, k + kv + j * s.ld_kv, s.W);
        most = std::max(most, p[j]);
      }
      for (std::int64_t j = 0; j < n; ++j) sum += p[j] = std::exp(p[j] - most);
      std::fill_n(out, s.W, T(0));
      for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t w = 0; w < s.W; ++w) out[w] += p[j] / sum * v[kv + j * s.ld_kv + w];
      if (logsumexp) logsumexp[i * s.Tq + t] = most + std::log(sum);
    }
  });
}

template <class T>
void attention_backward_plain(Context& ctx, T* dq, T* dk, T* dv, const T* d_o, const T* q, const T* k,
                              const T* v, const T* o, const T* logsumexp, const AttentionShape& s) {
  const T scale = score_scale<T>(s);
  parallel_for(ctx, s.B * s.G, 1,
               [&](std::int64_t i, std::int64_t) {  // all query heads of a KV head: one writer of dk, dv
                 const std::int64_t b = i / s.G, g = i % s.G, kv = key_at(s, b, g);
                 for (std::int64_t j = 0; j < s.Tk; ++j) {
                   std::fill_n(dk + kv + j * s.ld_kv, s.W, T(0));
                   std::fill_n(dv + kv + j * s.ld_kv, s.W, T(0));
                 }
                 for (std::int64_t h = g * (s.H / s.G); h < (g + 1) * (s.H / s.G); ++h)
                   for (std::int64_t t = 0; t < s.Tq; ++t) {
                     const T *query = q + query_at(s, b, h) + t * s.ld_q,
                             *dout = d_o + output_at(s, b, h) + t * s.ld_o;
                     T* dquery = dq + query_at(s, b, h) + t * s.ld_q;
                     const T delta = dot(dout, o + output_at(s, b, h) + t * s.ld_o, s.W);
                     std::fill_n(dquery, s.W, T(0));
                     for (std::int64_t j = 0; j < visible_keys(s, t); ++j) {
                       const std::int64_t at = kv + j * s.ld_kv;
                       const T p =
                           std::exp(scale * dot(query, k + at, s.W) - logsumexp[(b * s.H + h) * s.Tq + t]);
                       const T ds = scale * p * (dot(dout, v + at, s.W) - delta);
                       for (std::int64_t w = 0; w < s.W; ++w) {
                         dquery[w] += ds * k[at + w];
                         dk[at + w] += ds * query[w];
                         dv[at + w] += p * dout[w];
                       }
                     }
                   }
               });
}

#define MOE_INSTANTIATE(T)                                                                              \
  template void attention_plain(Context&, T*, T*, const T*, const T*, const T*, const AttentionShape&); \
  template void attention_backward_plain(Context&, T*, T*, T*, const T*, const T*, const T*, const T*,  \
                                         const T*, const T*, const AttentionShape&);
MOE_INSTANTIATE(float)
MOE_INSTANTIATE(double)
#undef MOE_INSTANTIATE

}  // namespace moe::detail
