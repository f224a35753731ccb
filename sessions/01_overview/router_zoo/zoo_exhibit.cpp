// The zoo's table, picture and sentences.
#include <algorithm>
#include <cmath>

#include "common/app/format.hpp"
#include "sessions/01_overview/experiment/statistics.hpp"
#include "sessions/01_overview/router_zoo/zoo.hpp"

namespace moe::session1 {
namespace {

template <class Number>
Spread spread(const ZooEntry& entry, Number number) {
  std::vector<double> values;
  for (const ZooRun& run : entry.runs) values.push_back(number(run));
  return spread_of(values);
}

double worth(const ZooEntry& e) {
  return spread(e, [](const ZooRun& r) { return r.leak.bits_hidden - r.leak.bits_seen; }).mean;
}
double bits(const ZooEntry& e) {
  return mean_of(e, &ZooRun::bits);
}
double violation(const ZooEntry& e) {
  return mean_of(e, &ZooRun::max_violation);
}

std::string number(double x, int decimals) {
  return std::isfinite(x) ? format_fixed(x, decimals) : "";
}

}  // namespace

double mean_of(const ZooEntry& entry, double ZooRun::*number) {
  return spread(entry, [&](const ZooRun& r) { return r.*number; }).mean;
}

std::string quality(const ZooEntry& e) {
  const Spread s = spread(e, [](const ZooRun& r) { return r.bits; });
  const std::string text =
      number(s.mean, 3) + (e.runs.size() > 1 ? concat(" ± ", format_fixed(s.deviation, 3)) : "");
  return e.row->causal ? text : concat("(", text, ")");
}

namespace {

std::string causal(const ZooEntry& e) {
  const double moved = spread(e, [](const ZooRun& r) { return r.leak.moved; }).mean;
  return e.row->causal ? "yes" : concat("no: ", format_percent(moved, 0), " move");
}

void add_row(Table& table, const ZooEntry& e) {
  const auto mean = [&](auto member, int decimals) { return number(mean_of(e, member), decimals); };
  table.row({e.row->name, mean(&ZooRun::experts_per_token, 2), quality(e),
             e.row->causal ? "" : number(bits(e) + worth(e), 3), mean(&ZooRun::cv2, 2),
             mean(&ZooRun::max_violation, 2), mean(&ZooRun::held_out_violation, 2), mean(&ZooRun::entropy, 2),
             format_percent(mean_of(e, &ZooRun::dropped)),
             format_count(mean_of(e, &ZooRun::tokens_per_second)), causal(e)});
}

std::vector<const ZooEntry*> causal_ones(const std::vector<ZooEntry>& entries) {
  std::vector<const ZooEntry*> causal;
  for (const ZooEntry& e : entries)
    if (e.row->causal) causal.push_back(&e);
  return causal;
}

std::string what_the_future_is_worth(const ZooEntry& e) {
  const double bits = worth(e);
  const std::string moved =
      concat(e.row->name, " reads the future: other text in its place moves earlier predictions");
  if (std::abs(bits) < 0.005) return concat(moved, ", but makes them neither better nor worse at this size.");
  return concat(moved, " and makes them ", format_fixed(std::abs(bits), 3), " bits per byte ",
                bits > 0 ? "worse." : "better.");
}

std::vector<std::string> sentences(const std::vector<ZooEntry>& entries) {
  std::vector<std::string> all;
  const auto causal = causal_ones(entries);
  if (!causal.empty()) {
    const ZooEntry& best = **std::ranges::min_element(causal, {}, [](const ZooEntry* e) { return bits(*e); });
    const ZooEntry& even =
        **std::ranges::min_element(causal, {}, [](const ZooEntry* e) { return violation(*e); });
    all.push_back(concat("Of the causal routers ", best.row->name, " predicts best (", number(bits(best), 3),
                         " bits per byte), and ", even.row->name,
                         " has the most even load in training (MaxVio ", number(violation(even), 2), ")."));
  }
  for (const ZooEntry& e : entries)
    if (!e.row->causal) all.push_back(what_the_future_is_worth(e));
  all.push_back(entries.empty() || entries[0].runs.size() > 1
                    ? "± is the deviation over seeds."
                    : concat("One seed: differences below ", format_fixed(2 * kSeedDeviation, 2),
                             " bits per byte are within the noise between seeds; --seeds 3 measures it."));
  return all;
}

HeatMapPlot load_plot(const std::vector<ZooEntry>& entries) {
  HeatMapPlot plot{.map = {.high = 2, .row_name = "router", .column_name = "expert"},
                   .x_label = "experts of the last layer, the busiest first",
                   .y_label = "",
                   .value_label = "load / mean",
                   .width = 720,
                   .height = static_cast<int>(150 + 24 * entries.size())};
  for (std::size_t i = entries.size(); i-- > 0;) {  // drawn from bottom to top
    const std::vector<double>& load = entries[i].runs[0].load;
    plot.map.rows.emplace_back(entries[i].row->name);
    plot.map.values.insert(plot.map.values.end(), load.begin(), load.end());
    plot.x_high = static_cast<double>(load.size());
  }
  for (int e = 0; e < static_cast<int>(plot.x_high); ++e) plot.map.columns.push_back(std::to_string(e + 1));
  return plot;
}

}  // namespace

Exhibit zoo_exhibit(const std::vector<ZooEntry>& entries) {
  Table table({{"router", Align::left},
               {"experts a token"},
               {"bits/byte"},
               {"future hidden"},
               {"CV²"},
               {"MaxVio"},
               {"held out"},
               {"entropy"},
               {"dropped"},
               {"tokens/s"},
               {"causal", Align::left}});
  for (const ZooEntry& e : entries) add_row(table, e);
  return {.name = "router_zoo",
          .table = std::move(table),
          .sentences = sentences(entries),
          .panels = {load_plot(entries)},
          .columns = 1};
}

}  // namespace moe::session1
