// One computation on the CPU and on every device: close results, and the same bytes for every order of a device's threads.
#pragma once

#include <cmath>
#include <map>

#include "tests/support/numeric.hpp"
#include "tests/support/on_device.hpp"

namespace moe::testing {

// Sizes around a warp and around a block, and none at all.
inline constexpr std::int64_t kDeviceSizes[] = {0, 1, 31, 32, 33, 127, 129};

// As close(), but NaN is expected exactly where `expected` has it.
template <class T>
::testing::AssertionResult close_or_both_nan(std::vector<T> actual, std::vector<T> expected,
                                             Tolerance tolerance) {
  if (actual.size() == expected.size())
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (actual[i] != actual[i] && expected[i] != expected[i]) actual[i] = expected[i] = T(0);
  return close(actual, expected, tolerance);
}

// run(ctx) puts its operands in ctx's memory and returns what it computed, as a vector.
template <class Run>
void against_cpu(Run&& run, Tolerance tolerance = kExact) {
  Context cpu;
  const auto expected = run(cpu);
  std::map<DeviceKind, std::decay_t<decltype(expected)>> first;
  every_device([&](Context& ctx) {
    const auto actual = run(ctx);
    EXPECT_TRUE(close_or_both_nan(actual, expected, tolerance));
    const auto [before, is_new] = first.try_emplace(ctx.device.kind, actual);
    if (!is_new) {
      EXPECT_TRUE(same_bytes(actual, before->second)) << "another order, other bytes";
    }
  });
}

// The vectors of several outputs as one.
template <class T, class... More>
std::vector<T> together(std::vector<T> all, const More&... more) {
  (all.insert(all.end(), more.begin(), more.end()), ...);
  return all;
}

}  // namespace moe::testing
