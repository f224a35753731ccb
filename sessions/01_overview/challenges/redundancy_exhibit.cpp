#include <algorithm>

#include "common/app/format.hpp"
#include "sessions/01_overview/challenges/redundancy.hpp"

namespace moe::session1 {
namespace {

Table table_of(const std::vector<FewerExperts>& rows) {
  Table table({{"experts"},
               {"parameters removed"},
               {"REAP"},
               {"merged"},
               {"merged with the router's rows"},
               {"pruned at random (least to most)"}});
  for (const FewerExperts& r : rows)
    table.row({std::to_string(r.experts), format_percent(r.removed), format_fixed(r.reap, 3),
               format_fixed(r.merged, 3), format_fixed(r.merged_rows, 3),
               concat(format_fixed(r.random, 3), " (", format_fixed(r.random_low, 3), " to ",
                      format_fixed(r.random_high, 3), ")")});
  return table;
}

Series series(const std::vector<FewerExperts>& rows, double FewerExperts::*y, const char* label, int colour) {
  Series s{.label = label, .x = {}, .y = {}, .colour = colour, .points = true};
  for (const FewerExperts& r : rows) {
    s.x.push_back(static_cast<double>(r.experts));
    s.y.push_back(r.*y);
  }
  return s;
}

LinePlot plot_of(const std::vector<FewerExperts>& rows) {
  LinePlot plot{.title = "",
                .x_label = "experts left in each layer",
                .y_label = "held-out bits per byte",
                .series = {series(rows, &FewerExperts::reap, "REAP", 0),
                           series(rows, &FewerExperts::merged, "merged", 1),
                           series(rows, &FewerExperts::merged_rows, "merged with the router's rows", 2),
                           series(rows, &FewerExperts::random, "pruned at random", 3)}};
  for (const FewerExperts& r : rows) {
    plot.series.back().low.push_back(r.random_low);
    plot.series.back().high.push_back(r.random_high);
  }
  return plot;
}

std::string winner(const FewerExperts& r) {
  const std::pair<double, const char*> ways[] = {{r.reap, "pruning by REAP"},
                                                 {r.merged, "merging"},
                                                 {r.merged_rows, "merging with the router's rows"},
                                                 {r.random, "random pruning"}};
  const auto best = *std::ranges::min_element(ways);
  return concat("With ", r.experts, " experts ", best.second, " is best (", format_fixed(best.first, 3), ")",
                r.random_low < best.first
                    ? concat(", but a lucky random draw reaches ", format_fixed(r.random_low, 3), ".")
                    : ".");
}

}  // namespace

Exhibit redundancy_exhibit(const std::vector<FewerExperts>& rows, const std::string& first) {
  Exhibit exhibit{
      .name = "redundancy", .table = table_of(rows), .sentences = {first}, .panels = {plot_of(rows)}};
  for (const FewerExperts& r : rows)
    if (r.removed > 0) exhibit.sentences.push_back(winner(r));
  return exhibit;
}

}  // namespace moe::session1
