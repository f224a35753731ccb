// Plots: what to draw. gnuplot draws it (common/report/gnuplot.hpp); the numbers also go out as CSV.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "common/report/heat_map.hpp"

namespace moe {

struct Series {
  std::string label;
  std::vector<double> x, y;
  std::vector<double> low{}, high{};  // a band around y, or error bars with points; empty: none
  int colour = 0;                     // series_colour(); alike for the same thing in all plots
  bool dashed = false;
  bool faint = false;   // thin and pale, without an entry in the legend: raw values behind smoothed ones
  bool points = false;  // dots joined by lines: few x
};

struct LinePlot {
  std::string title, x_label, y_label;
  std::vector<Series> series;
  bool log_x = false, log_y = false;
  std::optional<double> y_low{}, y_high{};  // empty: as the data need
  int width = 640, height = 360;
};

// Bars in groups: group g has one bar in each category.
struct BarGroup {
  std::string label;
  std::vector<double> values;         // one per category
  std::vector<double> low{}, high{};  // error bars; empty: none
  int colour = 0;
};
struct BarPlot {
  std::string title, y_label;
  std::vector<std::string> categories;
  std::vector<BarGroup> groups;
  int width = 640, height = 360;
};

// Rows are drawn from bottom to top, columns from x_low to x_high: expert load (E, time).
struct HeatMapPlot {
  HeatMap map;
  std::string x_label, y_label, value_label;
  double x_low = 0, x_high = 1;
  int width = 640, height = 360;
};

using Plot = std::variant<LinePlot, BarPlot, HeatMapPlot>;

std::string csv(const Plot& plot);

// The mean of y over up to `window` neighbours: centred, narrower at the start (where losses fall steeply), looking
// back only at the end.
std::vector<double> smoothed(std::span<const double> y, int window);

// Indices of y that suffice to draw it at `columns` pixel columns: all when there are few; else the least and the
// largest of every stretch, so that no peak is lost. NaN counts as nothing.
std::vector<std::size_t> thinned(std::span<const double> y, std::size_t columns);

}  // namespace moe
