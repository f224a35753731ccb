#include <cmath>

#include "kernels/base/parallel.hpp"
#include "kernels/base/tables.hpp"
#include "kernels/softmax/row.hpp"
#include "kernels/softmax/softmax.hpp"
#include "kernels/softmax/versions.hpp"

namespace moe {
namespace {

// R rows that fit the first-level cache.
template <class T>
void softmax_rows(T* y, T* logsumexp, const T* x, std::int64_t R, std::int64_t C) {
  const auto start = [=](std::int64_t r, T top) {
    if (logsumexp) logsumexp[r] = top;
  };
  const auto finish = [=](std::int64_t r, T sum) {
    detail::scale_row(y + r * C, 1 / sum, C);
    if (logsumexp) logsumexp[r] += std::log(sum);
  };
  detail::exp_rows(y, x, R, C, start, finish);
}

template <class T>
T dot(const T* a, const T* b, std::int64_t C) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t c = 0; c < C; ++c) sum += a[c] * b[c];
  return sum;
}

template <bool kAccumulate, class T>
void backward_row(T* dx, const T* dy, const T* y, std::int64_t C) {
  const T mean = dot(dy, y, C);  // of dy under the probabilities y
#pragma omp simd
  for (std::int64_t c = 0; c < C; ++c) dx[c] = (kAccumulate ? dx[c] : T(0)) + y[c] * (dy[c] - mean);
}

template <class T>
void softmax_backward_plain(Context& ctx, T* dx, const T* dy, const T* y, std::int64_t R, std::int64_t C,
                            bool accumulate) {
  account(ctx, sizeof(T) * (accumulate ? 4.0 : 3.0) * R * C, 4.0 * R * C);
  const auto row = accumulate ? backward_row<true, T> : backward_row<false, T>;
  parallel_for(ctx, R, row_grain(3 * C * sizeof(T)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) row(dx + r * C, dy + r * C, y + r * C, C);
  });
}

}  // namespace

namespace detail {

template <class T>
void softmax_plain(Context& ctx, T* y, T* logsumexp, const T* x, std::int64_t R, std::int64_t C) {
  account(ctx, sizeof(T) * (2.0 * R * C + (logsumexp ? R : 0)), 5.0 * R * C);
  const std::int64_t grain = rows_in_cache<T>(C);
  parallel_for(ctx, R, grain, [=](std::int64_t begin, std::int64_t end) {
    softmax_rows(y + begin * C, logsumexp ? logsumexp + begin : nullptr, x + begin * C, end - begin, C);
  });
}

template void softmax_plain(Context&, float*, float*, const float*, std::int64_t, std::int64_t);

}  // namespace detail

MOE_TABLE(Softmax, softmax, float, detail::softmax_plain,
          {"lanes", DeviceKind::cpu, 0, detail::softmax_lanes}, MOE_DEVICE_ROWS("1_naive", softmax_naive))
MOE_TABLE(Softmax, softmax, double, detail::softmax_plain)
MOE_TABLES(SoftmaxBackward, softmax_backward, softmax_backward_plain)

}  // namespace moe
