#include "sessions/01_overview/moe_vs_dense/options.hpp"

#include <sstream>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <iterator>

#include "common/app/flags.hpp"
#include "common/app/machine.hpp"
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
}

bool is_emulated(const Options& o) {
  return o.device == "emulated" || o.device == "checked";
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
  add_text_flags(flags, o);
  add_tokenizer_flag(flags, o);
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
  add_shape_flags(flags, o);
}

void add_other_flags(Flags& flags, Options& o) {
  flags.group("Training");
  add_training_flags(flags, o);
  flags.group("Machine and output");
  add_machine_flags(flags, o);
  flags.add("--trace", o.trace,
            "write OUT/dense/trace.json and OUT/moe/trace.json: 20 steps as a timeline for ui.perfetto.dev");
  add_output_flags(flags, o);
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
      "moe demo 1 --tokenizer bpe:1024          pieces of words instead of bytes\n"
      "moe demo 1 --full                        1, 2, 4, 8, 16 experts with 3 seeds each\n"
      "moe demo 1 --quick --device emulated     the CUDA kernels on the CPU, compared with the CPU's own");
  add_run_flags(flags, o);
  add_model_flags(flags, o);
  add_other_flags(flags, o);
  flags.parse(argc, argv);
  apply_presets(o, flags);
  refuse_unused(o, flags);
  apply_router(o, flags);
  finish(o);
  o.command = command_line(argc, argv, o.resume);
  o.resume_command = command_line(argc, argv, true);
  return o;
}

}  // namespace moe::session1
