// Σ x² of a stretch of memory, in double: gradient norms and the z-loss.
#pragma once

#include <cstdint>

namespace moe {

// Two halves side by side: one accumulator would wait for itself.
template <class T>
double squares(const T* x, std::int64_t n) {
  const std::int64_t half = n / 2;
  const T* y = x + half;
  double a = 0, b = 0;
#pragma omp simd reduction(+ : a, b)
  for (std::int64_t i = 0; i < half; ++i) {
    a += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    b += static_cast<double>(y[i]) * static_cast<double>(y[i]);
  }
  const double last = n % 2 ? static_cast<double>(x[n - 1]) : 0;
  return a + b + last * last;
}

}  // namespace moe
