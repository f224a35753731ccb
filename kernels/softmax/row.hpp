// One row of softmax, shared by the softmax and the cross-entropy kernels. For .cpp files of kernels/ only.
#pragma once

#include <cstdint>
#include <limits>

#include "kernels/base/vector_math.hpp"

namespace moe::detail {

// Passes over NaN: whoever sums the exponentials meets it again.
template <class T>
inline T row_max(const T* x, std::int64_t C) {
  T top = -std::numeric_limits<T>::infinity();
#pragma omp simd reduction(max : top)
  for (std::int64_t c = 0; c < C; ++c) top = x[c] > top ? x[c] : top;
  return top;
}

// y[c] = exp(x[c] - top); returns their sum. y may be x.
template <class T>
inline T exp_row(T* y, const T* x, T top, std::int64_t C) {
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
inline void scale_row(T* y, T factor, std::int64_t C) {
#pragma omp simd
  for (std::int64_t c = 0; c < C; ++c) y[c] *= factor;
}

}  // namespace moe::detail
