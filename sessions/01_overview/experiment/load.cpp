#include "sessions/01_overview/experiment/load.hpp"

#include <algorithm>
#include <cmath>

namespace moe::session1 {

LoadMetrics held_out_load(const Evaluation& evaluation) {
  std::map<int, LoadMetrics> layers;
  for (std::size_t l = 0; l < evaluation.expert_domain.size(); ++l) {
    std::vector<std::int64_t> load;
    std::int64_t all = 0;
    for (const std::vector<double>& domains : evaluation.expert_domain[l]) {
      double sum = 0;
      for (const double n : domains) sum += n;
      load.push_back(static_cast<std::int64_t>(sum));
      all += load.back();
    }
    layers[static_cast<int>(l)] = load_metrics(load, all);
  }
  return summarise(layers);
}

HeatMap domain_counts(const Evaluation& evaluation, std::size_t layer,
                      const std::vector<std::string>& domains) {
  const auto& counts = evaluation.expert_domain.at(layer);  // [expert][domain]
  HeatMap map{.title = concat("Layer ", layer + 1),
              .rows = domains,
              .columns = {},
              .values = {},
              .row_name = "domain",
              .column_name = "expert"};
  for (std::size_t e = 0; e < counts.size(); ++e) map.columns.push_back(std::to_string(e));
  for (std::size_t d = 0; d < domains.size(); ++d)
    for (const auto& expert : counts) map.values.push_back(expert[d]);
  scale_to_largest(map);
  return map;
}

std::vector<std::string> domain_names(const Corpus& corpus) {
  std::vector<std::string> names;
  for (const Domain& d : corpus.domains) names.push_back(d.name);
  return names;
}

HeatMapPlot experts_plot(const Evaluation& evaluation, std::size_t layer,
                         const std::vector<std::string>& domains) {
  HeatMap map = specialisation(domain_counts(evaluation, layer, domains));
  scale_to_largest(map);
  return {.map = std::move(map),
          .x_label = "experts, ordered by the domain they read most",
          .y_label = "",
          .value_label = "P(domain | expert)",
          .x_low = 0,
          .x_high = static_cast<double>(evaluation.expert_domain[layer].size()),
          .height = 260};
}

double value_at(const std::vector<MetricRecord>& metrics, const char* key, std::int64_t step) {
  double value = std::nan("");
  for (const MetricRecord& record : metrics)
    if (record.find(key) && record.number("step") <= static_cast<double>(step)) value = record.number(key);
  return value;
}

Series metric_series(const std::vector<MetricRecord>& metrics, const char* x, const char* y,
                     const std::string& label, int colour) {
  auto [xs, ys] = curve_of(metrics, x, y);
  return {.label = label, .x = std::move(xs), .y = std::move(ys), .colour = colour};
}

HeatMapPlot load_over_time(const std::vector<MetricRecord>& metrics, std::size_t layer,
                           const std::string& title) {
  const std::string key = concat("load_", layer);
  std::vector<std::vector<double>> columns;
  double last_step = 1;
  for (const MetricRecord& record : metrics)
    if (const MetricValue* value = record.find(key)) {
      columns.push_back(std::get<std::vector<double>>(*value));
      last_step = record.number("step");
    }
  HeatMapPlot plot{.map = {.title = title,
                           .rows = {},
                           .columns = {},
                           .values = {},
                           .low = 0,
                           .high = 2,
                           .row_name = "expert",
                           .column_name = "step"},
                   .x_label = "step",
                   .y_label = "expert",
                   .value_label = "load / mean",
                   .x_low = 0,
                   .x_high = last_step};
  if (columns.empty()) return plot;
  const std::size_t stride =
      std::max<std::size_t>(1, columns.size() / 120);  // columns that a reader can tell apart
  for (std::size_t e = 0; e < columns[0].size(); ++e) plot.map.rows.push_back(std::to_string(e));
  for (std::size_t t = 0; t < columns.size(); t += stride) plot.map.columns.push_back(std::to_string(t));
  for (std::size_t e = 0; e < columns[0].size(); ++e)
    for (std::size_t t = 0; t < columns.size(); t += stride) {
      double mean = 0;
      for (const double load : columns[t]) mean += load / static_cast<double>(columns[t].size());
      plot.map.values.push_back(mean > 0 ? columns[t][e] / mean : 0);
    }
  return plot;
}

}  // namespace moe::session1
