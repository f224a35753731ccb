// Sums over tokens that the CPU's versions share. For .cpp files of kernels/ only.
#pragma once

#include <cstdint>

#include "kernels/base/parallel.hpp"

namespace moe::detail {

template <class T>
void add_row(double* sum, const T* x, std::int64_t E) {
#pragma omp simd
  for (std::int64_t e = 0; e < E; ++e) sum[e] += x[e];
}

inline double total_of(const std::int32_t* count, std::int64_t E) {
  double sum = 0;
  for (std::int64_t e = 0; e < E; ++e) sum += count[e];
  return sum;
}

// The balance loss of one group: sum (E) of its tokens' probabilities, count (E) of their choices. One division, of integers
// when the probabilities are simple: perfect balance then gives 1 without rounding.
inline double balance_of(const double* sum, const std::int32_t* count, std::int64_t E, std::int64_t tokens) {
  double together = 0;
  for (std::int64_t e = 0; e < E; ++e) together += count[e] * sum[e];
  const double scale = total_of(count, E) * static_cast<double>(tokens);
  return scale == 0 ? 0 : static_cast<double>(E) * together / scale;
}

}  // namespace moe::detail
