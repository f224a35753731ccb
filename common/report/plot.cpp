#include "common/report/plot.hpp"

#include <algorithm>
#include <cmath>

#include "common/report/table.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

std::string number(double x) {
  return std::isfinite(x) ? concat(x) : "";
}

std::string csv_of(const LinePlot& plot) {  // long form: series of different x stand in one file
  Table table({{"series"}, {plot.x_label}, {plot.y_label}, {"low"}, {"high"}});
  for (const Series& s : plot.series)
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      const bool band = i < s.low.size() && i < s.high.size();
      table.row({s.label, number(s.x[i]), number(s.y[i]), band ? number(s.low[i]) : "",
                 band ? number(s.high[i]) : ""});
    }
  return table.csv();
}

std::string csv_of(const BarPlot& plot) {
  Table table({{"group"}, {"category"}, {plot.y_label}, {"low"}, {"high"}});
  for (const BarGroup& g : plot.groups)
    for (std::size_t i = 0; i < g.values.size(); ++i) {
      const bool band = i < g.low.size() && i < g.high.size();
      table.row({g.label, plot.categories[i], number(g.values[i]), band ? number(g.low[i]) : "",
                 band ? number(g.high[i]) : ""});
    }
  return table.csv();
}

std::string csv_of(const HeatMapPlot& plot) {
  return csv(plot.map);
}

}  // namespace

std::string csv(const Plot& plot) {
  return std::visit([](const auto& p) { return csv_of(p); }, plot);
}

std::vector<double> smoothed(std::span<const double> y, int window) {
  const auto n = static_cast<std::int64_t>(y.size());
  const std::int64_t half = std::max(0, window / 2);
  std::vector<double> out(y.size());
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t before = std::min(half, i), after = std::min(before, n - 1 - i);
    double sum = 0;
    for (std::int64_t j = i - before; j <= i + after; ++j) sum += y[j];
    out[i] = sum / static_cast<double>(before + after + 1);
  }
  return out;
}

std::vector<std::size_t> thinned(std::span<const double> y, std::size_t columns) {
  std::vector<std::size_t> keep;
  const std::size_t n = y.size();
  for (std::size_t i = 0; n <= 2 * columns && i < n; ++i) keep.push_back(i);
  if (n <= 2 * columns) return keep;
  for (std::size_t c = 0; c < columns; ++c) {
    const std::size_t begin = c * n / columns, end = (c + 1) * n / columns;
    std::size_t least = begin, most = begin;
    for (std::size_t i = begin; i < end; ++i) {
      if (y[i] < y[least] || std::isnan(y[least])) least = i;
      if (y[i] > y[most] || std::isnan(y[most])) most = i;
    }
    keep.push_back(std::min(least, most));
    if (least != most) keep.push_back(std::max(least, most));
  }
  if (keep.front() != 0) keep.insert(keep.begin(), 0);
  if (keep.back() != n - 1) keep.push_back(n - 1);
  return keep;
}

}  // namespace moe
