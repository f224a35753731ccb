// One training run of a language model, and the load of its experts over time.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "common/report/metrics_log.hpp"
#include "common/report/plot.hpp"
#include "common/train/run.hpp"
#include "sessions/01_overview/experiment/options.hpp"

namespace moe::session1 {

struct LmRun {
  RunResult result;
  std::vector<MetricRecord> metrics;  // metrics.jsonl; its keys: common/train/run.hpp
  double tokens_per_second = 0;
};

// Trains `trainer` to its last step in `directory`, which keeps metrics.jsonl and a checkpoint. Lines of metrics come every
// `log_every` steps. Empty: interrupted, a checkpoint was saved.
std::optional<LmRun> train_lm(Trainer& trainer, const Corpus& corpus, const LmOptions& o,
                              const std::filesystem::path& directory, bool resume = false,
                              std::int64_t log_every = 10);

// A model of `config` trained from o.train in OUT/`name`, announced on stderr. Everything else as above.
std::optional<LmRun> train_named(const std::string& name, const LanguageModelConfig& config,
                                 const LmOptions& o, const Corpus& corpus, std::int64_t log_every = 10);

// A value of metrics.jsonl over steps or seconds.
Series metric_series(const std::vector<MetricRecord>& metrics, const char* x, const char* y,
                     const std::string& label, int colour);

// Load of each expert of a layer over time, as a multiple of the mean: (E, time). Empty for a layer without experts.
HeatMapPlot load_over_time(const std::vector<MetricRecord>& metrics, std::size_t layer,
                           const std::string& title);

}  // namespace moe::session1
