#include "sessions/01_overview/experiment/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace moe::session1 {

Spread spread_of(std::span<const double> values) {
  Spread s;
  const double n = static_cast<double>(values.size());
  for (const double v : values) s.mean += v / n;
  for (const double v : values) s.deviation += (v - s.mean) * (v - s.mean) / std::max(1.0, n - 1);
  s.deviation = std::sqrt(s.deviation);
  return s;
}

double Curve::at(double time) const {
  if (seconds.empty()) return std::nan("");
  const auto after = static_cast<std::size_t>(std::ranges::lower_bound(seconds, time) - seconds.begin());
  if (after == 0) return bits.front();
  if (after == seconds.size()) return bits.back();
  const double t = (time - seconds[after - 1]) / (seconds[after] - seconds[after - 1]);
  return bits[after - 1] + t * (bits[after] - bits[after - 1]);
}

Curve held_out_curve(const std::vector<MetricRecord>& metrics) {
  auto [seconds, bits] = curve_of(metrics, "seconds", "held_out");
  return {std::move(seconds), std::move(bits)};
}

}  // namespace moe::session1
