#include "tests/support/compare.hpp"

#include <cmath>
#include <limits>

namespace moe::testing {
namespace {

template <class T>
T poison() {
  if constexpr (std::numeric_limits<T>::has_quiet_NaN)
    return std::numeric_limits<T>::quiet_NaN();
  else
    return std::numeric_limits<T>::min();
}

template <class T>
bool is_poison(T x) {
  if constexpr (std::numeric_limits<T>::has_quiet_NaN)
    return std::isnan(x);
  else
    return x == poison<T>();
}

}  // namespace

template <class T>
::testing::AssertionResult close(std::span<const T> actual, std::span<const T> expected,
                                 Tolerance tolerance) {
  if (actual.size() != expected.size())
    return ::testing::AssertionFailure() << "size " << actual.size() << ", expected " << expected.size();
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double a = static_cast<double>(actual[i]), e = static_cast<double>(expected[i]);
    const double allowed = tolerance.absolute + tolerance.relative * std::abs(e);
    if (a == e) continue;  // equal infinities
    if (!(std::abs(a - e) <= allowed))
      return ::testing::AssertionFailure()
             << "index " << i << " of " << actual.size() << ": got " << a << ", expected " << e
             << " (difference " << a - e << ", allowed " << allowed << ")";
  }
  return ::testing::AssertionSuccess();
}

template <class T>
Output<T>::Output(std::int64_t n) : memory_(static_cast<std::size_t>(n) + 2 * kGuard, poison<T>()) {}

template <class T>
Output<T>::~Output() {
  for (std::size_t i = 0; i < kGuard; ++i) {
    EXPECT_TRUE(is_poison(memory_[i])) << "written " << kGuard - i << " elements before the output";
    EXPECT_TRUE(is_poison(memory_[memory_.size() - kGuard + i]))
        << "written " << i << " elements past the output";
  }
}

template ::testing::AssertionResult close(std::span<const float>, std::span<const float>, Tolerance);
template ::testing::AssertionResult close(std::span<const double>, std::span<const double>, Tolerance);
template ::testing::AssertionResult close(std::span<const std::int32_t>, std::span<const std::int32_t>,
                                          Tolerance);
template class Output<float>;
template class Output<double>;
template class Output<std::int32_t>;

}  // namespace moe::testing
