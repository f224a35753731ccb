// One of the two models: its training run, and what is shown of it afterwards.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/nn/cost.hpp"
#include "common/report/routed_text.hpp"
#include "sessions/01_overview/experiment/lm_run.hpp"
#include "sessions/01_overview/moe_vs_dense/options.hpp"

namespace moe::session1 {

struct Sample {
  std::string domain, prompt, text;  // text: what the model wrote after the prompt
};

struct ModelRun : LmRun {
  std::string name;  // "dense", "MoE"
  LanguageModelConfig config;
  ModelCost cost;
  std::vector<Sample> samples;     // one a domain
  std::vector<RoutedText> routed;  // a held-out passage of each domain with its experts; empty if dense
};

// About `bytes` bytes from the middle of a held-out text, in whole tokens; it begins with a line where one begins soon and
// enough text follows.
std::vector<Token> passage(std::span<const Token> text, const Tokenizer& tokenizer, std::int64_t bytes);

// Trains in directory (resumes there if asked). Empty: interrupted, a checkpoint was saved.
std::optional<ModelRun> run_model(const std::string& name, const LanguageModelConfig& config,
                                  const std::filesystem::path& directory, const Options& options,
                                  const Corpus& corpus);

}  // namespace moe::session1
