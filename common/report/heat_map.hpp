// A matrix to look at: rows × columns of numbers between low and high.
#pragma once

#include <string>
#include <vector>

#include "common/app/terminal.hpp"

namespace moe {

struct HeatMap {
  std::string title{};
  std::vector<std::string> rows{}, columns{};  // labels
  std::vector<double> values{};                // (rows, columns); NaN: unknown
  double low = 0, high = 1;
  std::string row_name{}, column_name{};  // what a row and a column are: "domain", "expert"

  double at(std::size_t row, std::size_t column) const { return values[row * columns.size() + column]; }
  // 0 at low, 1 at high, clamped; NaN stays.
  double level(std::size_t row, std::size_t column) const;
};

// Sets low to 0 and high to the largest value (1 when there is none above 0).
void scale_to_largest(HeatMap& map);

HeatMap transposed(const HeatMap& map);

// P(row | column): every column divided by its sum (columns that sum to 0 become NaN), then columns ordered by the row
// where they are largest, strongest first. Counts of (domain, expert) become the picture of specialisation.
HeatMap specialisation(HeatMap counts);

struct HeatMapStyle {
  int width = 80;                        // wider maps are cut into several, one below the other
  bool numbers = false;                  // values in percent in the cells
  ColourMode colour = ColourMode::none;  // none: ░▒▓█
};

std::string terminal_heat_map(const HeatMap& map, const HeatMapStyle& style = {});

// A <table class="heat">: the value as opacity of the page's heat colour, and as text on hover.
std::string html_heat_map(const HeatMap& map);

std::string csv(const HeatMap& map);

}  // namespace moe
