#include "sessions/01_overview/experiment/lm_run.hpp"

#include <algorithm>
#include <cstdio>

namespace moe::session1 {

std::optional<LmRun> train_lm(Trainer& trainer, const Corpus& corpus, const LmOptions& o,
                              const std::filesystem::path& directory, bool resume, std::int64_t log_every) {
  const TrainSettings& t = trainer.settings();
  const HeldOut held_out(corpus, 16, trainer.model().config().context, o.held_out_tokens);
  LmRun run;
  run.result = train_run(trainer, held_out,
                         {.directory = directory,
                          .resume = resume,
                          .quiet = o.quiet,
                          .log_every = log_every,
                          .evaluations = o.evaluations});
  if (!run.result.finished) return std::nullopt;
  run.metrics = read_metrics((directory / "metrics.jsonl").string());
  run.tokens_per_second = static_cast<double>(t.steps * t.sequences * t.length) / run.result.seconds;
  return run;
}

std::optional<LmRun> train_named(const std::string& name, const LanguageModelConfig& config,
                                 const LmOptions& o, const Corpus& corpus, std::int64_t log_every) {
  if (!o.quiet) std::fprintf(stderr, "%s\n", name.c_str());
  const std::unique_ptr<Context> ctx = make_context(o);
  Trainer trainer(*ctx, config, o.train, corpus);
  return train_lm(trainer, corpus, o, std::filesystem::path(o.out) / name, false, log_every);
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
