// Rows of softmax, shared by the softmax and the cross-entropy kernels. For .cpp files of kernels/ only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "kernels/base/vector_math.hpp"

namespace moe::detail {

// Rows that together stay in the first-level cache, so that several passes over them cost one trip to memory.
template <class T>
std::int64_t rows_in_cache(std::int64_t C) {
  return std::max<std::int64_t>(1,
                                16384 / static_cast<std::int64_t>(sizeof(T)) / std::max<std::int64_t>(1, C));
}

// Passes over NaN: whoever sums the exponentials meets it again.
template <class T>
T row_max(const T* x, std::int64_t C) {
  T top = -std::numeric_limits<T>::infinity();
#pragma omp simd reduction(max : top)
  for (std::int64_t c = 0; c < C; ++c) top = x[c] > top ? x[c] : top;
  return top;
}

template <class T>
T row_sum(const T* x, std::int64_t C) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t c = 0; c < C; ++c) sum += x[c];
  return sum;
}

template <class T>
void shift_row(T* y, const T* x, T by, std::int64_t C) {
#pragma omp simd
  for (std::int64_t c = 0; c < C; ++c) y[c] = x[c] - by;
}

// y[c] = exp(x[c] - top); returns their sum.
template <class T>
T exp_row(T* y, const T* x, T top, std::int64_t C) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t c = 0; c < C; ++c) {
    const T e = exp_fast(x[c] - top);
    y[c] = e;
    sum += e;
  }
  return sum;
}

template <class T>
void scale_row(T* y, T factor, std::int64_t C) {
#pragma omp simd
  for (std::int64_t c = 0; c < C; ++c) y[c] *= factor;
}

// y (R, C) = exp(x - top) row by row. start(r, top) sees each row's maximum before y is written, and finish(r, sum)
// the sum of its exponentials afterwards. y may be x. Short rows (8 experts, 64 experts) would spend more on entering
// and leaving the loop of exponentials than in it, so they share one: 2.7 times faster at C = 8.
template <class T, class Start, class Finish>
void exp_rows(T* y, const T* x, std::int64_t R, std::int64_t C, Start start, Finish finish) {
  const bool short_rows = C < 128;
  for (std::int64_t r = 0; r < R; ++r) {
    const T top = row_max(x + r * C, C);
    start(r, top);
    if (short_rows)
      shift_row(y + r * C, x + r * C, top, C);
    else
      finish(r, exp_row(y + r * C, x + r * C, top, C));
  }
  if (!short_rows) return;
  exp_row(y, y, T(0), R * C);
  for (std::int64_t r = 0; r < R; ++r) finish(r, row_sum(y + r * C, C));
}

}  // namespace moe::detail
