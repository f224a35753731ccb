// Bars made of characters, to an eighth of a column.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "common/app/terminal.hpp"

namespace moe {

struct Bar {
  std::string label;
  double value;      // below 0 and NaN count as 0
  std::string note;  // stands behind the bar
  Rgb colour{};
};

struct BarStyle {
  int width = 80;  // columns of the whole
  int blocks = 0;  // bars side by side; 0: as few as keep it within 24 lines, where the width allows it
  double mark = std::numeric_limits<double>::quiet_NaN();  // a │ at this value
  ColourMode colour = ColourMode::none;
};

std::string bars(std::span<const Bar> all, const BarStyle& style = {});

// How many assignments each expert got, with a mark at the mean and the ratio to it.
//    0 ██████▍│     812  0.79×
std::string load_bars(std::span<const std::int64_t> counts, BarStyle style = {});

}  // namespace moe
