// Flags that several stages of this session share, and what follows from them.
//
//   LmOptions o = parse_lm_options(argc, argv, {.number = "1.4", .summary = "…", .examples = "…"}, defaults);
//
// or, for flags of its own: make Flags, call the add_* functions and its own flags.add, parse, finish().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/app/device.hpp"
#include "common/app/flags.hpp"
#include "common/data/corpus.hpp"
#include "common/nn/config.hpp"
#include "common/train/trainer.hpp"

namespace moe::session1 {

// Of every stage.
struct StageOptions {
  std::string out;  // runs/1.4
  std::string device = "auto", dtype = "f32";
  std::string kernels;  // --kernels
  DeviceChoice choice;  // what --device means here
  std::int64_t threads = 1;
  bool quiet = false, json = false;
};

// Of a stage that trains language models.
struct LmOptions : StageOptions {
  LanguageModelConfig model;
  TrainSettings train;
  std::string domains = "all";  // of the default texts: all, none, or names
  std::vector<std::string> texts;
  std::string tokenizer = "byte";
  std::int64_t held_out_tokens = 8192;  // a domain, at each evaluation
  std::int64_t evaluations = 12;        // during training
  bool quick = false;
};

// The model that the stages of this session train many times: two blocks, 16 experts of which a token visits two, so small
// that 600 steps take a few seconds. Differences in load show; differences in loss of a percent do not.
LmOptions small_lm();

void add_text_flags(Flags& flags, LmOptions& o);      // --domains, --text
void add_tokenizer_flag(Flags& flags, LmOptions& o);  // --tokenizer; for programs that read_corpus
void add_expert_flags(Flags& flags, LmOptions& o);    // --experts, --top-k, --expert-width
void add_shape_flags(Flags& flags, LmOptions& o);     // --width, --layers, --heads
void add_training_flags(Flags& flags, LmOptions& o);  // --steps, --batch, --lr, --seed
void add_machine_flags(Flags& flags, StageOptions& o,
                       bool dtype = true);             // --device, --threads; --dtype, --kernels
void add_output_flags(Flags& flags, StageOptions& o);  // --quiet, --json

// After parsing: the device is chosen, so that one that is not here ends the program before anything is written. The
// second also checks the model. Throw UserError.
void finish(StageOptions& o);
void finish(LmOptions& o);

struct StageInfo {
  std::string number, summary, examples;
};
// All of the above with --out and --quick (`quick_steps` steps unless --steps is given), then `more`, for flags of the
// stage's own. `defaults` are what help shows.
LmOptions parse_lm_options(int argc, char** argv, const StageInfo& info, LmOptions defaults,
                           std::int64_t quick_steps, const std::function<void(Flags&)>& more = {});
// The same for a stage without a language model: --out, --json, and `more`.
StageOptions parse_stage_options(int argc, char** argv, const StageInfo& info,
                                 const std::function<void(Flags&)>& more = {});

// What --domains and --text say.
CorpusOptions corpus_options(const LmOptions& o);

// The texts of --domains and --text in the tokens of --tokenizer, whose number becomes the model's V. Throws UserError as
// load_corpus and tokenizer_maker do.
Corpus read_corpus(LmOptions& o);

// A context for the device, threads and dtype of the options.
std::unique_ptr<Context> make_context(const StageOptions& o);

}  // namespace moe::session1
