#include "sessions/01_overview/experiment/options.hpp"

#include <sstream>

#include "common/app/kernel_choice.hpp"
#include "common/app/machine.hpp"
#include "common/io/config_json.hpp"
#include "common/io/tokenizer_choice.hpp"

namespace moe::session1 {

LmOptions small_lm() {
  LmOptions o;
  o.model = demo_model();
  o.model.layers = 2;
  o.model.moe.experts = 16;
  o.train.sequences = 8;
  o.train.steps = 600;
  o.held_out_tokens = 4096;
  o.evaluations = 6;
  return o;
}

void add_text_flags(Flags& flags, LmOptions& o) {
  flags.add("--domains", o.domains,
            "which of the six texts: all, none (then --text brings them), or names: cpp,german");
  flags.add("--text", o.texts,
            "name=path: adds a text as a domain, or replaces the domain of that name; may be repeated");
}

void add_tokenizer_flag(Flags& flags, LmOptions& o) {
  flags.add("--tokenizer", o.tokenizer, kTokenizerHelp);
}

void add_expert_flags(Flags& flags, LmOptions& o) {
  flags.add("--experts", o.model.moe.experts, "experts E", between(1, 4096));
  flags.add("--top-k", o.model.moe.top_k, "experts a token visits, K (switch: 1, gshard: 2)",
            between(1, 4096));
  flags.add("--expert-width", o.model.ffn_width, "hidden width of an expert, F", between(1, 65536));
}

void add_shape_flags(Flags& flags, LmOptions& o) {
  flags.add("--width", o.model.width, "model width D", between(1, 65536));
  flags.add("--layers", o.model.layers, "transformer blocks L", between(1, 1024));
  flags.add("--heads", o.model.heads, "attention heads H of width 32", between(1, 1024));
}

void add_training_flags(Flags& flags, LmOptions& o) {
  flags.add("--steps", o.train.steps, "optimiser steps", between(1, 4e9));
  flags.add("--batch", o.train.sequences, "sequences of 128 tokens a step", between(1, 65536));
  flags.add("--lr", o.train.learning_rate, "peak learning rate", between(1e-9, 1));
  flags.add("--seed", o.train.seed, "seed of initial values and batches");
}

void add_machine_flags(Flags& flags, StageOptions& o, bool dtype) {
  flags.add("--device", o.device, kDeviceHelp);
  if (dtype) {
    flags.add("--dtype", o.dtype, "bf16: operands of matrix products are rounded to it, sums stay f32",
              one_of({"f32", "bf16"}));
    flags.add("--kernels", o.kernels, kKernelsHelp);
  }
  flags.add("--threads", o.threads, "threads; results do not depend on it", between(1, 1024));
}

void add_output_flags(Flags& flags, StageOptions& o) {
  flags.add("--quiet", o.quiet, "no progress");
  flags.add("--json", o.json, "the results as JSON on standard output");
}

void finish(StageOptions& o) {
  o.choice = choose_device(o.device);
  parse_kernel_choice(o.kernels, o.choice.device);
  if (o.dtype == "bf16" && o.choice.device.kind == DeviceKind::cuda && o.choice.device.sm < 80)
    throw UserError(ExitCode::missing,
                    concat("--dtype bf16 on ", o.choice.why, ": no bf16 matrix units in code for sm_",
                           o.choice.device.sm),
                    "use --dtype f32, or a GPU and a build for compute capability 8.0 or newer");
}

void finish(LmOptions& o) {
  o.model.kv_heads = o.model.heads;
  if (o.model.moe.top_k > o.model.moe.experts)
    throw UserError(ExitCode::usage,
                    concat("--top-k ", o.model.moe.top_k, " of ", o.model.moe.experts, " experts"),
                    concat("choose 1 to ", o.model.moe.experts));
  finish(static_cast<StageOptions&>(o));
  validate_config(o.model, "flags", ExitCode::usage);
}

LmOptions parse_lm_options(int argc, char** argv, const StageInfo& info, LmOptions o,
                           std::int64_t quick_steps, const std::function<void(Flags&)>& more) {
  o.out = "runs/" + info.number;
  o.threads = this_machine().cores;
  Flags flags("moe stage " + info.number, info.summary, info.examples);
  flags.group("What runs");
  flags.add("--quick", o.quick, concat(quick_steps, " steps: enough to see which way it goes"));
  flags.add("--out", o.out, "directory of the results");
  add_text_flags(flags, o);
  if (more) more(flags);
  flags.group("Model and training");
  add_expert_flags(flags, o);
  add_shape_flags(flags, o);
  add_training_flags(flags, o);
  flags.group("Machine and output");
  add_machine_flags(flags, o, false);
  add_output_flags(flags, o);
  flags.parse(argc, argv);
  if (o.quick && !flags.given("--steps")) o.train.steps = quick_steps;
  finish(o);
  return o;
}

StageOptions parse_stage_options(int argc, char** argv, const StageInfo& info,
                                 const std::function<void(Flags&)>& more) {
  StageOptions o;
  o.out = "runs/" + info.number;
  Flags flags("moe stage " + info.number, info.summary, info.examples);
  flags.add("--out", o.out, "directory of the results");
  flags.add("--json", o.json, "the table as JSON on standard output");
  if (more) more(flags);
  flags.parse(argc, argv);
  return o;
}

CorpusOptions corpus_options(const LmOptions& o) {
  CorpusOptions options{.context = o.model.context, .domains = std::nullopt, .texts = o.texts};
  if (o.domains == "all") return options;
  options.domains.emplace();
  std::istringstream names(o.domains == "none" ? "" : o.domains);
  for (std::string name; std::getline(names, name, ',');) options.domains->push_back(name);
  return options;
}

Corpus read_corpus(LmOptions& o) {
  Corpus corpus = load_corpus(corpus_options(o), tokenizer_maker(o.tokenizer, o.quiet));
  o.model.vocabulary = corpus.tokenizer->vocabulary();
  return corpus;
}

std::unique_ptr<Context> make_context(const StageOptions& o) {
  auto ctx = std::make_unique<Context>(o.choice.device, static_cast<int>(o.threads));
  if (o.dtype == "bf16") ctx->matrix_inputs = DType::bf16;
  ctx->chosen = parse_kernel_choice(o.kernels, o.choice.device);
  return ctx;
}

}  // namespace moe::session1
