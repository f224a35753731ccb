// Kernels of tests: a launch, and what it says when it goes wrong.
#pragma once

#include <string>
#include <vector>

#include "kernels/base/launch.hpp"
#include "tests/support/compare.hpp"

namespace moe::testing {

using namespace simt;

// The first line of a test of lines in checked kernels: this build cannot name them.
#ifdef MOE_HAVE_BACKTRACE
#define MOE_SKIP_WITHOUT_LINES()
#else
#define MOE_SKIP_WITHOUT_LINES() GTEST_SKIP() << "built without libbacktrace: reports name functions"
#endif

// In order, then in three random orders.
inline constexpr std::uint64_t kOrders[] = {0, 1, 2, 3};

// The message of the Error that `run` throws; fails the test when it throws none.
template <class Run>
std::string error_of(Run&& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no Error";
  return "";
}

// Each of `parts` stands in `text`, in this order.
inline ::testing::AssertionResult says(const std::string& text, const std::vector<std::string>& parts) {
  std::size_t from = 0;
  for (const std::string& part : parts) {
    const std::size_t at = text.find(part, from);
    if (at == std::string::npos)
      return ::testing::AssertionFailure() << "\"" << part << "\" is missing from\n" << text;
    from = at + part.size();
  }
  return ::testing::AssertionSuccess();
}

inline std::string line_of(int line) {
  return concat(".cpp:", line);
}

// run(ctx) for every order on 1 to 3 threads.
template <class Run>
void every_order(Run&& run) {
  for (const std::uint64_t order : kOrders)
    for (const int threads : {1, 2, 3}) {
      SCOPED_TRACE(concat("order ", order, " on ", threads, " threads"));
      Context ctx(threads);
      ctx.device.kind = DeviceKind::emulated;
      ctx.emulated_order = order;
      run(ctx);
    }
}

}  // namespace moe::testing
