// One run of the experiment on instability, and what is shown of all of them.
#pragma once

#include <cmath>

#include "sessions/01_overview/experiment/exhibit.hpp"

namespace moe::session1 {

struct Precision {
  std::int64_t bits;  // of mantissa; 0: all
  const char* name;
};
inline constexpr Precision kPrecisions[] = {{0, "f32"}, {7, "bf16"}, {3, "3 bits"}};

struct StabilityTrial {
  Precision precision;
  double factor, z;
  double bits = NAN, largest_gradient = 0, bf16_flips = NAN, coarse_flips = NAN;
  std::int64_t diverged = 0;  // step; 0: it did not
  std::vector<double> step, loss, logsumexp;
};

Exhibit instability_exhibit(const std::vector<StabilityTrial>& trials);

}  // namespace moe::session1
