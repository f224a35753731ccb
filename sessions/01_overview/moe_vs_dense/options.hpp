// What `moe demo 1` can be told.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/app/device.hpp"
#include "common/data/corpus.hpp"
#include "common/nn/config.hpp"
#include "common/train/trainer.hpp"

namespace moe::session1 {

struct Options {
  LanguageModelConfig model = demo_model();
  TrainSettings train{.steps = 2400};
  std::string device = "auto", dtype = "f32", out = "runs/moe_vs_dense";
  DeviceChoice choice;  // what --device means here
  std::int64_t threads = 1;
  std::int64_t held_out_tokens = 8192;  // a domain, at each evaluation
  std::int64_t evaluations = 12;        // during training
  std::int64_t sample_tokens = 240;     // a text that a model writes
  std::string domains = "all";          // of the default texts: all, none, or names
  std::vector<std::string> texts;
  bool resume = false, trace = false, quiet = false, json = false, quick = false, full = false;
  std::string command;         // as it was typed
  std::string resume_command;  // the same with --resume
};

Options parse_options(int argc, char** argv);

// What --domains and --text say. Throws UserError as load_corpus does.
CorpusOptions corpus_options(const Options& options);

// A context for the device, threads and dtype of the options.
std::unique_ptr<Context> make_context(const Options& options);

}  // namespace moe::session1
