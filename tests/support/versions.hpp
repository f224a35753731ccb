// Every unchecked version of an operation that runs in host memory, with one, two and three threads.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "kernels/base/operation.hpp"

namespace moe::testing {

// The unchecked versions that run in host memory.
template <class Signature>
auto versions_in_host_memory(const Operation<Signature>& operation) {
  std::vector<Version<Signature>> rows;
  for (const auto& version : operation.versions())
    if (version.device == DeviceKind::cpu || version.device == DeviceKind::emulated) rows.push_back(version);
  return rows;
}

// run(function, ctx) returns what the version computed, as a std::vector; check(result) looks at it. Fails unless
// the bytes are the same for every number of threads.
template <class Signature, class Run, class Check>
void each_version(const Operation<Signature>& operation, Run&& run, Check&& check) {
  ASSERT_FALSE(operation.versions().empty());
  for (const auto& version : versions_in_host_memory(operation)) {
    SCOPED_TRACE(concat(operation.name(), ", version ", version.name));
    Context alone(1);
    alone.device.kind = version.device;
    const auto expected = run(*version.function, alone);
    check(expected);
    for (const int threads : {2, 3}) {
      Context ctx(threads);
      ctx.device.kind = version.device;
      const auto actual = run(*version.function, ctx);
      ASSERT_EQ(actual.size(), expected.size());
      const std::size_t bytes = expected.size() * sizeof expected[0];
      EXPECT_TRUE(bytes == 0 || std::memcmp(actual.data(), expected.data(), bytes) == 0)
          << threads << " threads give other bytes than one";
    }
  }
}

// How far an operation in T may stray from its oracle in double: a few dozen roundings of numbers of order 1.
template <class T>
inline constexpr double kRounding = sizeof(T) == 4 ? 4e-6 : 1e-13;

template <class T, class U>
std::vector<T> cast(const std::vector<U>& x) {
  return std::vector<T>(x.begin(), x.end());
}

}  // namespace moe::testing
