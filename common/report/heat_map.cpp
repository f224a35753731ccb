#include "common/report/heat_map.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/app/format.hpp"
#include "common/report/table.hpp"
#include "kernels/base/check.hpp"

namespace moe {

double HeatMap::level(std::size_t row, std::size_t column) const {
  const double value = at(row, column);
  if (std::isnan(value)) return value;
  return high > low ? std::clamp((value - low) / (high - low), 0.0, 1.0) : 0;
}

void scale_to_largest(HeatMap& map) {
  map.low = 0;
  map.high = 0;
  for (const double value : map.values)
    if (value > map.high) map.high = value;  // false for NaN
  if (!(map.high > 0)) map.high = 1;
}

HeatMap transposed(const HeatMap& map) {
  HeatMap out = map;
  std::swap(out.rows, out.columns);
  std::swap(out.row_name, out.column_name);
  for (std::size_t r = 0; r < map.rows.size(); ++r)
    for (std::size_t c = 0; c < map.columns.size(); ++c) out.values[c * map.rows.size() + r] = map.at(r, c);
  return out;
}

HeatMap specialisation(HeatMap counts) {
  const std::size_t R = counts.rows.size(), C = counts.columns.size();
  MOE_CHECK(counts.values.size() == R * C, counts.values.size(), " values");
  std::vector<std::size_t> top(C, 0), order(C);
  for (std::size_t c = 0; c < C; ++c) {
    double sum = 0;
    for (std::size_t r = 0; r < R; ++r) sum += counts.at(r, c);
    for (std::size_t r = 0; r < R; ++r) {
      double& value = counts.values[r * C + c];
      value = sum > 0 ? value / sum : std::numeric_limits<double>::quiet_NaN();
      if (value > counts.at(top[c], c)) top[c] = r;
    }
    if (!(sum > 0)) top[c] = R;  // columns without data come last
  }
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (top[a] != top[b]) return top[a] < top[b];
    return top[a] < R && counts.at(top[a], a) > counts.at(top[b], b);
  });
  HeatMap out = counts;
  for (std::size_t c = 0; c < C; ++c) {
    out.columns[c] = counts.columns[order[c]];
    for (std::size_t r = 0; r < R; ++r) out.values[r * C + c] = counts.at(r, order[c]);
  }
  out.low = 0;
  out.high = 1;
  return out;
}

std::string csv(const HeatMap& map) {
  std::vector<Column> columns{{map.row_name, Align::left}};
  for (const std::string& name : map.columns) columns.push_back({name});
  Table table(columns);
  for (std::size_t r = 0; r < map.rows.size(); ++r) {
    std::vector<std::string> cells{map.rows[r]};
    for (std::size_t c = 0; c < map.columns.size(); ++c) cells.push_back(format_fixed(map.at(r, c), 6));
    table.row(cells);
  }
  return table.csv();
}

}  // namespace moe
