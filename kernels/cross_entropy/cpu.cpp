#include <algorithm>
#include <cmath>

#include "kernels/base/parallel.hpp"
#include "kernels/base/tables.hpp"
#include "kernels/cross_entropy/cross_entropy.hpp"
#include "kernels/cross_entropy/versions.hpp"
#include "kernels/softmax/row.hpp"

namespace moe {
namespace {

// Σ exp(x[c] - top) when no gradient is wanted: nothing is stored.
template <class T>
T exp_sum(const T* x, T top, std::int64_t V) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t c = 0; c < V; ++c) sum += exp_fast(x[c] - top);
  return sum;
}

// Losses of R rows in nats, and dx (R, V) = (softmax - onehot) · weight. dx may be x.
template <class T>
void rows_with_gradient(double* nats, T* dx, const T* x, const std::int32_t* target, double weight,
                        std::int64_t R, std::int64_t V) {
  const auto start = [=](std::int64_t r, T top) {
    if (target[r] >= 0) nats[r] = static_cast<double>(top) - static_cast<double>(x[r * V + target[r]]);
  };
  const auto finish = [=](std::int64_t r, T sum) {
    T* row = dx + r * V;
    if (target[r] < 0) {
      std::fill_n(row, V, T(0));
      nats[r] = 0;
    } else {
      detail::scale_row(row, static_cast<T>(weight / static_cast<double>(sum)), V);
      row[target[r]] -= static_cast<T>(weight);
      nats[r] += std::log(static_cast<double>(sum));
    }
  };
  detail::exp_rows(dx, x, R, V, start, finish);
}

template <class T>
void rows_without_gradient(double* nats, const T* x, const std::int32_t* target, std::int64_t R,
                           std::int64_t V) {
  for (std::int64_t r = 0; r < R; ++r, x += V) {
    nats[r] = 0;
    if (target[r] < 0) continue;
    const T top = detail::row_max(x, V);
    nats[r] = std::log(static_cast<double>(exp_sum(x, top, V))) + static_cast<double>(top) -
              static_cast<double>(x[target[r]]);
  }
}

std::int64_t count_targets(const std::int32_t* target, std::int64_t N, std::int64_t V) {
  std::int64_t counted = 0;
  std::int32_t largest = -1;
  for (std::int64_t n = 0; n < N; ++n) {
    counted += target[n] >= 0;
    largest = std::max(largest, target[n]);
  }
  MOE_CHECK(largest < V, "target ", largest, " of ", V);
  return counted;
}

template <class T>
void cross_entropy_plain(Context& ctx, T* loss, T* row_loss, T* dlogits, const T* logits,
                         const std::int32_t* target, std::int64_t N, std::int64_t V) {
  account(ctx, sizeof(T) * ((dlogits ? 2.0 : 1.0) * N * V + (row_loss ? N : 0)) + 4.0 * N, 5.0 * N * V);
  const std::int64_t counted = count_targets(target, N, V);
  const double weight = counted ? 1.0 / static_cast<double>(counted) : 0;
  Scratch<double> nats(ctx, N);
  parallel_for(ctx, N, detail::rows_in_cache<T>(V), [&](std::int64_t begin, std::int64_t end) {
    double* own = nats.data() + begin;
    if (dlogits)
      rows_with_gradient(own, dlogits + begin * V, logits + begin * V, target + begin, weight, end - begin,
                         V);
    else
      rows_without_gradient(own, logits + begin * V, target + begin, end - begin, V);
    if (row_loss) std::copy_n(own, end - begin, row_loss + begin);
  });
  double sum = 0;
  for (std::int64_t n = 0; n < N; ++n) sum += nats[n];
  *loss = static_cast<T>(sum * weight);
}

}  // namespace

MOE_TABLES(CrossEntropy, cross_entropy, cross_entropy_plain)

}  // namespace moe
