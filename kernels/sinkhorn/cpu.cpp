#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/base/parallel.hpp"
#include "kernels/base/tables.hpp"
#include "kernels/sinkhorn/sinkhorn.hpp"
#include "kernels/sinkhorn/versions.hpp"

namespace moe {
namespace {

// exp(x - max); zeros for a row that cannot be balanced.
template <class T>
void exp_row(T* y, const T* x, std::int64_t E) {
  T top = -std::numeric_limits<T>::infinity();
  bool bad = false;
  for (std::int64_t e = 0; e < E; ++e) {
    top = std::max(top, x[e]);
    bad = bad || std::isnan(x[e]);
  }
  bad = bad || std::isinf(top);
  for (std::int64_t e = 0; e < E; ++e) y[e] = bad ? T(0) : std::exp(x[e] - top);
}

template <class T>
double row_total(const T* mass, const double* factor, std::int64_t E) {
  double total = 0;
  for (std::int64_t e = 0; e < E; ++e) total += mass[e] * factor[e];
  return total;
}

// sum (E) += the row scaled to 1.
template <class T>
void add_scaled_row(double* sum, const T* mass, const double* factor, std::int64_t E) {
  const double total = row_total(mass, factor, E);
  if (total == 0) return;
  for (std::int64_t e = 0; e < E; ++e) sum[e] += mass[e] / total;
}

// The factors of the columns that make each sum to N/E while the rows sum to 1 under the old ones.
template <class T>
void scale_columns(Context& ctx, double* factor, double* partial, const T* mass, std::int64_t N,
                   std::int64_t E) {
  const std::int64_t grain = sum_grain(N, E * sizeof(T)), chunks = (N + grain - 1) / grain;
  parallel_for(ctx, N, grain, [&](std::int64_t begin, std::int64_t end) {
    double* share = partial + begin / grain * E;
    std::fill_n(share, E, 0.0);
    for (std::int64_t n = begin; n < end; ++n) add_scaled_row(share, mass + n * E, factor, E);
  });
  for (std::int64_t e = 0; e < E; ++e) {
    double sum = 0;
    for (std::int64_t c = 0; c < chunks; ++c) sum += partial[c * E + e];
    factor[e] = sum > 0 ? static_cast<double>(N) / static_cast<double>(E) / sum : 0;
  }
}

template <class T>
void scale_row(T* mass, const double* factor, std::int64_t E) {
  const double total = row_total(mass, factor, E);
  for (std::int64_t e = 0; e < E; ++e)
    mass[e] = total > 0 ? static_cast<T>(mass[e] * factor[e] / total) : std::numeric_limits<T>::quiet_NaN();
}

template <class T>
void sinkhorn_plain(Context& ctx, T* balanced, const T* score, std::int64_t N, std::int64_t E,
                    std::int64_t iterations) {
  account(ctx, (4.0 + static_cast<double>(iterations)) * sizeof(T) * N * E, (6.0 + 4.0 * iterations) * N * E);
  const std::int64_t grain = sum_grain(N, E * sizeof(T));
  Scratch<double> factor(ctx, E), partial(ctx, (N + grain - 1) / std::max<std::int64_t>(1, grain) * E);
  std::fill_n(factor.data(), E, 1.0);
  parallel_for(ctx, N, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) exp_row(balanced + n * E, score + n * E, E);
  });
  for (std::int64_t i = 0; i < iterations; ++i)
    scale_columns(ctx, factor.data(), partial.data(), balanced, N, E);
  parallel_for(ctx, N, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) scale_row(balanced + n * E, factor.data(), E);
  });
}

}  // namespace

MOE_TABLES(Sinkhorn, sinkhorn, sinkhorn_plain)

}  // namespace moe
