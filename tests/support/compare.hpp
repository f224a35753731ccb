// The one comparison of all tests, and memory that shows who wrote where.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/base/random.hpp"

namespace moe::testing {

// |actual - expected| <= absolute + relative · |expected|. NaN never passes, not even against NaN.
struct Tolerance {
  double absolute = 0, relative = 0;
};
inline constexpr Tolerance kExact{};

// Use: EXPECT_TRUE(close(actual, expected, {1e-5, 1e-4})). A failure names the first bad index and both values.
template <class T>
::testing::AssertionResult close(std::span<const T> actual, std::span<const T> expected,
                                 Tolerance tolerance = kExact);
template <class T>
::testing::AssertionResult close(const std::vector<T>& actual, const std::vector<T>& expected,
                                 Tolerance tolerance = kExact) {
  return close(std::span<const T>(actual), std::span<const T>(expected), tolerance);
}

// An output of n elements, poisoned (NaN, or INT_MIN), between two guard zones. The destructor fails the test when
// a guard was touched.
template <class T>
class Output {
 public:
  explicit Output(std::int64_t n);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  T* data() { return memory_.data() + kGuard; }
  operator T*() { return data(); }
  std::span<const T> span() const { return {memory_.data() + kGuard, memory_.size() - 2 * kGuard}; }
  std::vector<T> vector() const { return {span().begin(), span().end()}; }

 private:
  static constexpr std::size_t kGuard = 64;
  std::vector<T> memory_;
};

template <class T>
::testing::AssertionResult close(const Output<T>& actual, const std::vector<T>& expected,
                                 Tolerance tolerance = kExact) {
  return close(actual.span(), std::span<const T>(expected), tolerance);
}

// n numbers from N(0, 1), or small integers in [-limit, limit], which make sums and products exact.
template <class T>
std::vector<T> random_normal(std::int64_t n, std::uint64_t seed) {
  std::vector<T> x(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) x[i] = static_cast<T>(normal({.seed = seed}, i));
  return x;
}
template <class T>
std::vector<T> random_integers(std::int64_t n, int limit, std::uint64_t seed) {
  std::vector<T> x(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i)
    x[i] = static_cast<T>(static_cast<int>(philox({.seed = seed}, i)[0] % (2 * limit + 1)) - limit);
  return x;
}

// Sizes that straddle vector widths, warps and tiles.
inline constexpr std::int64_t kAwkward[] = {1, 2, 31, 32, 33, 127, 129};

}  // namespace moe::testing
