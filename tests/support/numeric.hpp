// What the tests of the larger kernels share: bytes, tolerances, finite differences in place.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "tests/support/compare.hpp"
#include "tests/support/finite_difference.hpp"
#include "tests/support/versions.hpp"

namespace moe::testing {

using Floats = ::testing::Types<float, double>;

// Results must not differ among these; 3 is more than some tasks have chunks.
inline constexpr int kThreadCounts[] = {1, 2, 3};

// Rounding of sums over some hundred terms of size 1 against an oracle in double. A wrong term is off by 1e-2 and more.
template <class T>
inline constexpr Tolerance kSumRounding = sizeof(T) == 4 ? Tolerance{3e-5, 3e-5} : Tolerance{1e-12, 1e-12};

// Central differences with step 1e-5 in double: truncation and rounding are both about 1e-10 of the values.
inline constexpr Tolerance kDifference{1e-7, 1e-6};

// Bit for bit, so that NaN equals the same NaN and 0 differs from -0.
template <class T>
::testing::AssertionResult same_bytes(std::span<const T> actual, std::span<const T> expected) {
  if (actual.size() != expected.size())
    return ::testing::AssertionFailure() << "size " << actual.size() << ", expected " << expected.size();
  for (std::size_t i = 0; i < actual.size(); ++i)
    if (std::memcmp(&actual[i], &expected[i], sizeof(T)) != 0)
      return ::testing::AssertionFailure()
             << "index " << i << ": got " << actual[i] << ", expected the bytes of " << expected[i];
  return ::testing::AssertionSuccess();
}
template <class T>
::testing::AssertionResult same_bytes(const std::vector<T>& actual, const std::vector<T>& expected) {
  return same_bytes(std::span<const T>(actual), std::span<const T>(expected));
}

// d(loss)/d(x[i]) for every i, for a loss that reads x where it stands; x leaves as it came.
template <class Loss>
std::vector<double> differences_at(std::vector<double>& x, Loss loss) {
  const std::vector<double> before = x;
  const auto moved = [&](const std::vector<double>& values) {
    std::copy(values.begin(), values.end(), x.begin());
    return loss();
  };
  const std::vector<double> gradient = finite_difference(moved, before);
  x = before;
  return gradient;
}

}  // namespace moe::testing
