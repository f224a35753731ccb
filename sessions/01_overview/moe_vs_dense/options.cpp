#include "sessions/01_overview/moe_vs_dense/options.hpp"

#include <sstream>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <iterator>

#include "common/app/flags.hpp"
#include "common/app/machine.hpp"
#include "common/io/config_json.hpp"
#include "common/moe/fields.hpp"
#include "common/moe/routers/router.hpp"

namespace moe::session1 {
namespace {

std::vector<std::string> router_names() {
  std::vector<std::string> names;
  for (const RouterRow& row : router_table()) names.push_back(row.name);
  return names;
}

std::string router_help() {
  std::string help = "how tokens choose experts";
  for (const RouterRow& row : router_table()) help += concat("; ", row.name, ": ", row.summary);
  return help;
}

// "A, B": the routers that use a field.
std::string routers_with(const MoeField& field) {
  std::string names;
  for (const RouterRow& row : router_table())
    if (has_word(row.uses, field.key)) names += concat(names.empty() ? "" : ", ", row.name);
  return names;
}

// A flag that the router would not read is a misunderstanding: better said than ignored.
void refuse_unused(const Options& o, const Flags& flags) {
  const RouterRow* row = find_router(o.model.moe.router);
  for (const MoeField& field : kMoeFields) {
    const bool fixed = field.key == "top_k";  // apply_router knows what it may be
    if (!field.flag || fixed || !flags.given(field.flag) || !row || has_word(row->uses, field.key)) continue;
    throw UserError(ExitCode::usage,
                    concat(field.flag, " with --router ", row->name, ", which does not use it"),
                    concat("leave it out, or choose a router that does: ", routers_with(field)));
  }
}

// Switch sends a token to one expert, GShard to two: asked for another number, it is not that router.
void apply_router(Options& o, const Flags& flags) {
  MoeConfig& moe = o.model.moe;
  const MoeConfig implied = resolved(moe);
  if (flags.given("--top-k") && moe.top_k != implied.top_k)
    throw UserError(ExitCode::usage, concat("--top-k ", moe.top_k, " with --router ", moe.router),
                    concat("this router takes --top-k ", implied.top_k));
  moe = implied;
  if (moe.top_k > moe.experts)
    throw UserError(ExitCode::usage, concat("--top-k ", moe.top_k, " of ", moe.experts, " experts"),
                    concat("choose 1 to ", moe.experts));
}

bool is_emulated(const Options& o) {
  return o.device == "emulated" || o.device == "checked";
}

// Before anything is written: a device that is not here ends the program.
void apply_device(Options& o) {
  o.choice = choose_device(o.device);
  if (o.dtype == "bf16" && o.choice.device.kind == DeviceKind::cuda && o.choice.device.sm < 80)
    throw UserError(ExitCode::missing,
                    concat("--dtype bf16 on ", o.choice.why, ": no bf16 matrix units in code for sm_",
                           o.choice.device.sm),
                    "use --dtype f32, or a GPU and a build for compute capability 8.0 or newer");
}

// --quick and --full change what nobody set by hand.
void apply_presets(Options& o, const Flags& flags) {
  const auto preset = [&](const char* flag, std::int64_t& target, std::int64_t value) {
    if (!flags.given(flag)) target = value;
  };
  if (o.quick && o.full)
    throw UserError(ExitCode::usage, "--quick and --full exclude each other", "leave one out");
  for (const char* flag : {"--experts", "--seed", "--trace"})
    if (o.full && flags.given(flag))
      throw UserError(ExitCode::usage,
                      concat(flag, " has no meaning with --full, which chooses experts and seeds itself"),
                      "leave one out");
  if (o.full && o.model.moe.top_k > 2)
    throw UserError(ExitCode::usage, concat("--full begins with 2 experts: --top-k ", o.model.moe.top_k),
                    "choose 1 or 2");
  if (o.quick) {
    preset("--layers", o.model.layers, 2);
    preset("--experts", o.model.moe.experts, 16);
  }
  if (o.quick && is_emulated(o)) {  // a hundred times slower: enough to see that it trains
    preset("--batch", o.train.sequences, 4);
    preset("--steps", o.train.steps, 60);
    o.held_out_tokens = 1024;
    o.evaluations = 3;
    o.sample_tokens = 24;
  } else if (o.quick) {
    preset("--batch", o.train.sequences, 8);
    preset("--steps", o.train.steps, 1000);
  }
  if (o.full) preset("--steps", o.train.steps, 1500);
  if (!flags.given("--out") && (o.quick || o.full)) o.out += o.quick ? "_quick" : "_full";
}

// As a shell reads it back: quoted unless plain, ' as '\''.
std::string shell_word(const std::string& word) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) || std::strchr("-_=./,:+@%", c); };
  if (!word.empty() && std::ranges::all_of(word, plain)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted += '\'';
}

std::string command_line(int argc, char** argv, bool resume) {
  std::string line = "./moe demo 1";
  for (int i = 1; i < argc; ++i)
    if (std::string_view(argv[i]) != "--resume") line += " " + shell_word(argv[i]);
  return resume ? line + " --resume" : line;
}

void add_run_flags(Flags& flags, Options& o) {
  flags.group("What runs");
  flags.add("--quick", o.quick, "smaller models, fewer steps");
  flags.add("--full", o.full,
            "the scan over experts at equal active FLOPs, 3 seeds; every finished run is kept");
  flags.add("--resume", o.resume, "go on where the run in --out stopped");
  flags.add("--out", o.out, "directory of the run: report.html, metrics, checkpoints");
  flags.add("--domains", o.domains,
            "which of the six texts: all, none (then --text brings them), or names: cpp,german");
  flags.add("--text", o.texts,
            "name=path: adds a text as a domain, or replaces the domain of that name; may be repeated");
  flags.config_file();
}

std::vector<std::string> words_of(std::string_view text) {
  std::istringstream in{std::string(text)};
  return {std::istream_iterator<std::string>(in), {}};
}

void add_field(Flags& flags, const MoeField& field, MoeConfig& moe) {
  if (!field.flag) return;
  const std::string help = concat(field.help, " (", routers_with(field), ")");
  const Limits limits =
      field.words.empty() ? between(field.least, field.most) : one_of(words_of(field.words));
  std::visit([&](auto member) { flags.add(field.flag, moe.*member, help, limits); }, field.member);
}

void add_model_flags(Flags& flags, Options& o) {
  MoeConfig& moe = o.model.moe;
  flags.group("The MoE model");
  flags.add("--experts", moe.experts, "experts E", between(1, 4096));
  flags.add("--router", moe.router, router_help(), one_of(router_names()));
  for (const MoeField& field : kMoeFields) add_field(flags, field, moe);
  flags.add("--expert-width", o.model.ffn_width, "hidden width of an expert, F", between(1, 65536));
  flags.group("Both models");
  flags.add("--width", o.model.width, "model width D", between(1, 65536));
  flags.add("--layers", o.model.layers, "transformer blocks L", between(1, 1024));
  flags.add("--heads", o.model.heads, "attention heads H of width 32", between(1, 1024));
}

void add_training_flags(Flags& flags, Options& o) {
  flags.group("Training");
  flags.add("--steps", o.train.steps, "optimiser steps", between(1, 4e9));
  flags.add("--batch", o.train.sequences, "sequences of 128 bytes a step", between(1, 65536));
  flags.add("--lr", o.train.learning_rate, "peak learning rate", between(1e-9, 1));
  flags.add("--seed", o.train.seed, "seed of initial values and batches");
  flags.group("Machine and output");
  flags.add("--device", o.device, kDeviceHelp);
  flags.add("--dtype", o.dtype, "bf16: operands of matrix products are rounded to it, sums stay f32",
            one_of({"f32", "bf16"}));
  flags.add("--threads", o.threads, "threads; results do not depend on it", between(1, 1024));
  flags.add("--trace", o.trace,
            "write OUT/dense/trace.json and OUT/moe/trace.json: 20 steps as a timeline for ui.perfetto.dev");
  flags.add("--quiet", o.quiet, "no progress");
  flags.add("--json", o.json, "the results as JSON on standard output");
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options o;
  o.threads = this_machine().cores;
  Flags flags(
      "moe demo 1",
      "Trains a dense and a Mixture-of-Experts language model with the same active FLOPs a token on "
      "the same text, and compares them.",
      "moe demo 1                               a minute or two on two cores\n"
      "moe demo 1 --quick                       half a minute, smaller models\n"
      "moe demo 1 --experts 64 --top-k 4        other experts; the dense twin follows\n"
      "moe demo 1 --router switch               one expert a token, and a capacity\n"
      "moe demo 1 --text mine=notes.txt         a domain of your own, besides the six\n"
      "moe demo 1 --full                        1, 2, 4, 8, 16 experts with 3 seeds each\n"
      "moe demo 1 --quick --device emulated     the CUDA kernels on the CPU, compared with the CPU's own");
  add_run_flags(flags, o);
  add_model_flags(flags, o);
  add_training_flags(flags, o);
  flags.parse(argc, argv);
  apply_presets(o, flags);
  refuse_unused(o, flags);
  apply_router(o, flags);
  o.model.kv_heads = o.model.heads;
  apply_device(o);
  validate_config(o.model, "flags", ExitCode::usage);
  o.command = command_line(argc, argv, o.resume);
  o.resume_command = command_line(argc, argv, true);
  return o;
}

CorpusOptions corpus_options(const Options& o) {
  CorpusOptions options{.context = o.model.context, .domains = std::nullopt, .texts = o.texts};
  if (o.domains == "all") return options;
  options.domains.emplace();
  std::istringstream names(o.domains == "none" ? "" : o.domains);
  for (std::string name; std::getline(names, name, ',');) options.domains->push_back(name);
  return options;
}

std::unique_ptr<Context> make_context(const Options& o) {
  auto ctx = std::make_unique<Context>(o.choice.device, static_cast<int>(o.threads));
  if (o.dtype == "bf16") ctx->matrix_inputs = DType::bf16;
  return ctx;
}

}  // namespace moe::session1
