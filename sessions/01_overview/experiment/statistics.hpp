// The little statistics that the comparison and the scan share.
#pragma once

#include <span>
#include <vector>

#include "common/report/metrics_log.hpp"

namespace moe::session1 {

// Deviation between seeds of the held-out bits per byte of one model, as `moe demo 1 --full` measures it (0.014 to 0.025,
// sessions/01_overview/README.md): a gap of less than two of them has no winner.
inline constexpr double kSeedDeviation = 0.02;

struct Spread {
  double mean = 0, deviation = 0;  // of a sample: n - 1; 0 for one value
};
Spread spread_of(std::span<const double> values);

// Held-out bits per byte over seconds of training.
struct Curve {
  std::vector<double> seconds, bits;
  // Between the evaluations around that time; the first before it, the last after it; NaN for an empty curve.
  double at(double time) const;
};
Curve held_out_curve(const std::vector<MetricRecord>& metrics);

}  // namespace moe::session1
