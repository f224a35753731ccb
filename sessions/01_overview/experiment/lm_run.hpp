// One training run of a language model. What the load of its experts did meanwhile: load.hpp.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "common/report/metrics_log.hpp"
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

}  // namespace moe::session1
