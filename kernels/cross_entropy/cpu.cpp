#include <algorithm>
#include <cmath>

#include "kernels/base/parallel.hpp"
#include "kernels/cross_entropy/cross_entropy.hpp"
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

// Loss of one row in nats; dx (may be null, may be x) = (softmax - onehot) · weight.
template <class T>
double one_row(T* dx, const T* x, std::int32_t target, double weight, std::int64_t V) {
  const T top = detail::row_max(x, V);
  const double margin = static_cast<double>(top) - static_cast<double>(x[target]);  // before dx overwrites x
  const T sum = dx ? detail::exp_row(dx, x, top, V) : exp_sum(x, top, V);
  if (dx) {
    detail::scale_row(dx, static_cast<T>(weight / sum), V);
    dx[target] -= static_cast<T>(weight);
  }
  return std::log(static_cast<double>(sum)) + margin;
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
  parallel_for(ctx, N, row_grain(2 * V * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      T* dx = dlogits ? dlogits + n * V : nullptr;
      nats[n] = target[n] < 0 ? 0 : one_row(dx, logits + n * V, target[n], weight, V);
      if (target[n] < 0 && dx) std::fill_n(dx, V, T(0));
      if (row_loss) row_loss[n] = static_cast<T>(nats[n]);
    }
  });
  double sum = 0;
  for (std::int64_t n = 0; n < N; ++n) sum += nats[n];
  *loss = static_cast<T>(sum * weight);
}

template <class T>
constexpr Version<CrossEntropy<T>> versions[] = {{"plain", DeviceKind::cpu, 0, cross_entropy_plain<T>}};

}  // namespace

// inline: GCC 12 would otherwise keep a const specialisation inside this file (CWG 2387).
template <>
[[gnu::used]] inline const Operation<CrossEntropy<float>> cross_entropy<float>{"cross_entropy",
                                                                               versions<float>};
template <>
[[gnu::used]] inline const Operation<CrossEntropy<double>> cross_entropy<double>{"cross_entropy",
                                                                                 versions<double>};

}  // namespace moe
