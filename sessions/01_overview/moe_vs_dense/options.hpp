// What `moe demo 1` can be told.
#pragma once

#include <string>
#include <vector>

#include "common/data/corpus.hpp"
#include "common/nn/config.hpp"
#include "common/train/trainer.hpp"

namespace moe::session1 {

struct Options {
  LanguageModelConfig model = demo_model();
  TrainSettings train{.steps = 2400};
  std::string device = "auto", out = "runs/moe_vs_dense";
  std::int64_t threads = 1;
  std::string domains = "all";  // of the default texts: all, none, or names
  std::vector<std::string> texts;
  bool resume = false, trace = false, quiet = false, json = false, quick = false, full = false;
  std::string command;         // as it was typed
  std::string resume_command;  // the same with --resume
};

Options parse_options(int argc, char** argv);

// What --domains and --text say. Throws UserError as load_corpus does.
CorpusOptions corpus_options(const Options& options);

// auto and cpu are the CPU. Throws UserError (missing) for devices that this build does not have.
void check_device(const std::string& device);

}  // namespace moe::session1
