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

template <class T>
void exp_row(T* y, const T* x, T top, std::int64_t C) {
#pragma omp simd
  for (std::int64_t c = 0; c < C; ++c) y[c] = exp_fast(x[c] - top);
}

template <class T>
void scale_row(T* y, T factor, std::int64_t C) {
#pragma omp simd
  for (std::int64_t c = 0; c < C; ++c) y[c] *= factor;
}

// y (R, C) = exp(x - top) with each row's maximum, which record(r, top) sees before y is written; y may be x.
// Short rows (8 experts, 64 experts) would spend more on entering and leaving the loop of exponentials than in it,
// so they share one: 2.7 times faster at C = 8.
template <class T, class Record>
void exp_rows(T* y, const T* x, std::int64_t R, std::int64_t C, Record&& record) {
  const auto row = C < 128 ? shift_row<T> : exp_row<T>;
  for (std::int64_t r = 0; r < R; ++r) {
    const T top = row_max(x + r * C, C);
    record(r, top);
    row(y + r * C, x + r * C, top, C);
  }
  if (C < 128) exp_row(y, y, T(0), R * C);
}

}  // namespace moe::detail
