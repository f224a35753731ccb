// What a kernel of cases.cu asks of memory at a line of it, as text that a test can show.
#pragma once

#include <fstream>

#include "kernels/simt/traffic.hpp"
#include "tests/simt/support.hpp"
#include "tests/simt/traffic/cases.hpp"
#include "tests/support/on_device.hpp"

namespace moe::testing {

inline constexpr std::int64_t kTrafficElements = 2048;

// The line of traffic/cases.cu that ends in "// tag".
inline int line_with(const std::string& tag) {
  std::ifstream file(MOE_BROKEN_KERNELS "/../traffic/cases.cu");
  int number = 1;
  for (std::string line; std::getline(file, line); ++number)
    if (line.ends_with("  // " + tag)) return number;
  ADD_FAILURE() << "no line ends in // " << tag;
  return 0;
}

// Counts of the runs in `run(ctx, y, x)` on a checked device.
template <class Run>
simt::Traffic traffic_of(Run&& run, std::uint64_t order = 0) {
  simt::Traffic traffic;
  Context ctx({.kind = DeviceKind::checked}, 2);
  ctx.emulated_order = order;
  ctx.traffic = &traffic;
  OnDevice<float> y(ctx, kTrafficElements), x(ctx, random_normal<float>(kTrafficElements, 1));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(x.data()) % 32, 0u) << "cases count from whole sectors";
  run(ctx, y.data(), x.data());
  return traffic;
}

inline simt::Traffic traffic_of(TrafficKernel* kernel, int variant = 0, std::uint64_t order = 0) {
  return traffic_of([=](Context& ctx, float* y, const float* x) { kernel(ctx, y, x, variant); }, order);
}

// "requests lanes passes/least", over the rows of the line with the tag.
inline std::string counts(const simt::Traffic& traffic, const std::string& tag, simt::Space space,
                          simt::TrafficKind kind) {
  const int line = line_with(tag);
  simt::TrafficCounts sum;
  for (const simt::TrafficRow& row : traffic.rows())
    if (row.file.ends_with("tests/simt/traffic/cases.cu") && row.line == line && row.space == space &&
        row.kind == kind)
      sum.add(row.counts);
  return concat(sum.requests, " ", sum.lanes, " ", sum.passes, "/", sum.least);
}

inline constexpr auto kGlobal = simt::Space::global, kShared = simt::Space::shared;
inline constexpr auto kLoad = simt::TrafficKind::load, kStore = simt::TrafficKind::store,
                      kAtomic = simt::TrafficKind::atomic;

}  // namespace moe::testing
