// The textbook: insertion into a sorted list of K; and the backward pass.
#include <algorithm>

#include "kernels/top_k_gate/row.hpp"
#include "kernels/top_k_gate/versions.hpp"

namespace moe::detail {
template <class T>
void top_k_gate_insertion(Context& ctx, std::int32_t* expert, T* weight, const T* score, const TopKShape& s) {
  check_and_account(ctx, s, sizeof(T));
  parallel_for(ctx, s.N, row_grain(s.E * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      insert_row(expert + n * s.K, weight + n * s.K, score + n * s.E, s.E, s.K);
      if (s.renormalise) renormalise(weight + n * s.K, s.K);
    }
  });
}

// w = s/S, so ds_k = (dw_k - Σ_j dw_j·w_j) / S; where the least sum stands in for S, it is a constant: ds_k = dw_k / S.
template <class T>
void top_k_gate_backward_plain(Context& ctx, T* dscore, const T* dweight, const T* score,
                               const std::int32_t* expert, const TopKShape& s) {
  account(ctx, s.N * (s.E * sizeof(T) + s.K * (2 * sizeof(T) + 4.0)));
  parallel_for(ctx, s.N, row_grain(s.E * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const std::int32_t* chosen = expert + n * s.K;
      const T *x = score + n * s.E, *dw = dweight + n * s.K;
      T* dx = dscore + n * s.E;
      std::fill_n(dx, s.E, T(0));
      T sum = 1, mean = 0;
      if (s.renormalise) {
        sum = 0;
        for (std::int64_t k = 0; k < s.K; ++k) sum += x[chosen[k]];
        const bool constant = sum < kLeastSum<T>;
        sum = guarded(sum);
        for (std::int64_t k = 0; k < s.K && !constant; ++k)
          mean += dw[k] * (x[chosen[k]] / sum);  // as forward rounds it
      }
      for (std::int64_t k = 0; k < s.K; ++k) dx[chosen[k]] = (dw[k] - mean) / sum;
    }
  });
}

#define MOE_INSTANTIATE(T)                                                                       \
  template void top_k_gate_insertion(Context&, std::int32_t*, T*, const T*, const TopKShape&);   \
  template void top_k_gate_backward_plain(Context&, T*, const T*, const T*, const std::int32_t*, \
                                          const TopKShape&);
MOE_INSTANTIATE(float)
MOE_INSTANTIATE(double)
#undef MOE_INSTANTIATE

}  // namespace moe::detail
