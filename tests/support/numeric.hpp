// What numeric tests share: bytes, casts, finite differences, and how far float may stand from an oracle in double.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "tests/support/compare.hpp"

namespace moe::testing {

using Floats = ::testing::Types<float, double>;

// Thread counts whose results must not differ; 3 is more than some tasks have chunks.
inline constexpr int kThreadCounts[] = {1, 2, 3};

// Rounding of sums over some hundred terms of size 1 against an oracle in double. A wrong term is off by 1e-2 and more.
template <class T>
inline constexpr Tolerance kRounding = sizeof(T) == 4 ? Tolerance{3e-5, 3e-5} : Tolerance{1e-12, 1e-12};

// Central differences with step 1e-5 in double: truncation and rounding are both about 1e-10 of the values.
inline constexpr Tolerance kDifference{1e-7, 1e-6};

template <class T>
std::vector<T> cast(const std::vector<double>& x) {
  return {x.begin(), x.end()};
}

// Bit for bit, so that NaN equals the same NaN and 0 differs from -0.
template <class T>
::testing::AssertionResult same_bytes(std::span<const T> actual, std::span<const T> expected) {
  if (actual.size() != expected.size())
    return ::testing::AssertionFailure() << "size " << actual.size() << ", expected " << expected.size();
  for (std::size_t i = 0; i < actual.size(); ++i)
    if (std::memcmp(&actual[i], &expected[i], sizeof(T)) != 0)
      return ::testing::AssertionFailure() << "index " << i << ": got " << actual[i] << ", expected the bytes of " << expected[i];
  return ::testing::AssertionSuccess();
}
template <class T>
::testing::AssertionResult same_bytes(const std::vector<T>& actual, const std::vector<T>& expected) {
  return same_bytes(std::span<const T>(actual), std::span<const T>(expected));
}

// d(loss)/d(x[i]) for every i. `loss` reads x through its own reference; x leaves as it came.
template <class Loss>
std::vector<double> finite_differences(std::vector<double>& x, Loss loss, double step = 1e-5) {
  std::vector<double> gradient(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double before = x[i];
    x[i] = before + step;
    const double above = loss();
    x[i] = before - step;
    const double below = loss();
    x[i] = before;
    gradient[i] = (above - below) / (2 * step);
  }
  return gradient;
}

inline double inner_product(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace moe::testing
