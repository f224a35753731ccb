#include <algorithm>
#include <cmath>

#include "kernels/base/parallel.hpp"
#include "kernels/base/tables.hpp"
#include "kernels/rms_norm/rms_norm.hpp"
#include "kernels/rms_norm/versions.hpp"

namespace moe {
namespace {

template <class T>
T sum_of_squares(const T* x, std::int64_t D) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t d = 0; d < D; ++d) sum += x[d] * x[d];
  return sum;
}

template <class T>
void rms_norm_plain(Context& ctx, T* y, T* inverse_rms, const T* x, const T* w, std::int64_t N,
                    std::int64_t D, std::int64_t ld, double epsilon) {
  account(ctx, sizeof(T) * (2.0 * N * D + D + (inverse_rms ? N : 0)), 4.0 * N * D);
  parallel_for(ctx, N, row_grain(2 * D * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      const T* row = x + n * ld;
      T* out = y + n * ld;
      const T squares = sum_of_squares(row, D);
      const T inverse = 1 / std::sqrt(squares / static_cast<T>(D) + static_cast<T>(epsilon));
#pragma omp simd
      for (std::int64_t d = 0; d < D; ++d) out[d] = w[d] * (row[d] * inverse);
      if (inverse_rms) inverse_rms[n] = inverse;
    }
  });
}

// With s = inverse rms: dx = s·(g - x·s²·mean(g·x)), g = w ⊙ dy; and this row's share s·dy ⊙ x of dw.
template <class T>
void backward_row(T* dx, T* dw, const T* dy, const T* x, const T* w, T inverse, std::int64_t D) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t d = 0; d < D; ++d) sum += w[d] * dy[d] * x[d];
  const T pull = sum / static_cast<T>(D) * inverse * inverse;
#pragma omp simd
  for (std::int64_t d = 0; d < D; ++d) {
    dw[d] += dy[d] * (x[d] * inverse);
    dx[d] = inverse * (w[d] * dy[d] - x[d] * pull);
  }
}

// dw (D) = Σ over chunks of partial (chunks, D), in chunk order.
template <class T>
void add_partials(T* dw, const T* partial, std::int64_t chunks, std::int64_t D, bool accumulate) {
  if (!accumulate) std::fill_n(dw, D, T(0));
  for (std::int64_t i = 0; i < chunks; ++i)
#pragma omp simd
    for (std::int64_t d = 0; d < D; ++d) dw[d] += partial[i * D + d];
}

template <class T>
void rms_norm_backward_plain(Context& ctx, T* dx, T* dw, const T* dy, const T* x, const T* w,
                             const T* inverse_rms, std::int64_t N, std::int64_t D, std::int64_t ld,
                             bool accumulate_dw) {
  account(ctx, sizeof(T) * (3.0 * N * D + (accumulate_dw ? 3.0 : 2.0) * D + N), 9.0 * N * D);
  const std::int64_t grain = sum_grain(N, 3 * D * sizeof(T));
  const std::int64_t chunks = (N + grain - 1) / grain;
  Scratch<T> partial(ctx, chunks * D);
  parallel_for(ctx, N, grain, [&](std::int64_t begin, std::int64_t end) {
    T* share = partial.data() + begin / grain * D;
    std::fill_n(share, D, T(0));
    for (std::int64_t n = begin; n < end; ++n)
      backward_row(dx + n * ld, share, dy + n * ld, x + n * ld, w, inverse_rms[n], D);
  });
  add_partials(dw, partial.data(), chunks, D, accumulate_dw);
}

}  // namespace

MOE_TABLES(RmsNorm, rms_norm, rms_norm_plain)
MOE_TABLES(RmsNormBackward, rms_norm_backward, rms_norm_backward_plain)

}  // namespace moe
