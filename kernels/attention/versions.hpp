// The rows of the tables, private to this folder, and what both share.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/attention/attention.hpp"
#include "kernels/base/backends.hpp"

namespace moe {

MOE_DEVICE_VERSION(Attention<float>, attention_tiled)
MOE_DEVICE_VERSION(AttentionBackward<float>, attention_backward_tiled)

}  // namespace moe

namespace moe::detail {

template <class T>
void attention_plain(Context&, T* o, T* logsumexp, const T* q, const T* k, const T* v, const AttentionShape&);
template <class T>
void attention_blocked(Context&, T* o, T* logsumexp, const T* q, const T* k, const T* v,
                       const AttentionShape&);
template <class T>
void attention_backward_plain(Context&, T* dq, T* dk, T* dv, const T* d_o, const T* q, const T* k, const T* v,
                              const T* o, const T* logsumexp, const AttentionShape&);
template <class T>
void attention_backward_blocked(Context&, T* dq, T* dk, T* dv, const T* d_o, const T* q, const T* k,
                                const T* v, const T* o, const T* logsumexp, const AttentionShape&);

// Keys that query t may see: 0 .. visible-1.
inline std::int64_t visible_keys(const AttentionShape& s, std::int64_t t) {
  return s.causal ? std::min(s.Tk, s.query_offset + t + 1) : s.Tk;
}

// Where head h of sequence b begins.
inline std::int64_t query_at(const AttentionShape& s, std::int64_t b, std::int64_t h) {
  return b * s.Tq * s.ld_q + h * s.W;
}
inline std::int64_t key_at(const AttentionShape& s, std::int64_t b, std::int64_t g) {
  return b * s.kv_capacity * s.ld_kv + g * s.W;
}
inline std::int64_t output_at(const AttentionShape& s, std::int64_t b, std::int64_t h) {
  return b * s.Tq * s.ld_o + h * s.W;
}

template <class T>
T score_scale(const AttentionShape& s) {
  return T(1) / std::sqrt(static_cast<T>(s.W));
}

}  // namespace moe::detail
