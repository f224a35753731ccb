// Held-out bits per byte of a model with fewer experts, by how it lost them.
#pragma once

#include <cmath>

#include "sessions/01_overview/experiment/exhibit.hpp"

namespace moe::session1 {

struct FewerExperts {
  std::int64_t experts = 0;
  double removed = 0;  // share of all parameters
  double reap = NAN, merged = NAN, merged_rows = NAN, random = NAN, random_low = NAN, random_high = NAN;
};

// `first` opens the sentences.
Exhibit redundancy_exhibit(const std::vector<FewerExperts>& rows, const std::string& first);

}  // namespace moe::session1
