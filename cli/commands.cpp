#include "cli/commands.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "common/app/flag_value.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

constexpr Command kCommands[] = {
    {"demo", "moe", "demo [SESSION]",
     "a session's main job; session 1: a dense against an MoE language model"},
    {"list", "moe", "list", "sessions and stages"},
    {"stage", "moe", "stage NUMBER", "one stage; its options follow"},
#ifdef MOE_HAVE_EXERCISES
    {"start", "moe_exercises", "start DIR", "a directory for your answers to the exercises"},
    {"watch", "moe_exercises", "watch", "check your answer whenever you save it"},
    {"try", "moe_exercises", "try [EXERCISE]", "check an answer"},
    {"hint", "moe_exercises", "hint [EXERCISE]", "the next hint"},
    {"progress", "moe_exercises", "progress", "all exercises, and how far you are"},
    {"reset", "moe_exercises", "reset EXERCISE", "start an answer afresh"},
    {"solution", "moe_exercises", "solution EXERCISE", "a solution, once you have passed"},
    {"grade", "moe_exercises", "grade [s1]", "all answers, as a table and for machines"},
    {"teach", "moe_exercises", "teach VERB", "for teachers: check, release, grade, report"},
#endif
    {"generate", "moe_models", "generate --ckpt DIR", "text from a trained model"},
    {"convert", "moe_models", "convert --from --to",
     "a model between our files and Mixtral's, OLMoE's, Llama's"},
    {"tokenizer", "moe_models", "tokenizer VERB", "train a byte-level BPE; encode and decode with one"},
    {"bench", "moe_measure", "bench NAME", "measurements against this machine's own limits"},
    {"figures", "moe_measure", "figures [--list]", "make the recorded figures and tables again"},
    {"doctor", "moe_measure", "doctor", "what works on this machine, and how to get the rest"},
    {"test", "", "test [CTEST ARGS]", "build everything and run all tests"},
    {"docs", "", "docs", "the API pages, in build/docs/html"},
    {"clean", "", "clean [--all]", "remove build/ (and runs/)"},
};

}  // namespace

std::span<const Command> commands() {
  return kCommands;
}

const Command& find_command(std::string_view name) {
  const auto row = std::ranges::find(kCommands, name, &Command::name);
  if (row != std::end(kCommands)) return *row;
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  throw UserError(ExitCode::usage, concat("there is no command '", name, "'"),
                  did_you_mean(name, names) + "`moe --help` shows all commands.");
}

int run_command(std::span<const CommandRow> rows, int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "";
  const auto row = std::ranges::find(rows, word, &CommandRow::name);
  if (row != rows.end()) return row->function(argc - 1, argv + 1);
  throw UserError(ExitCode::usage, concat("no command '", word, "' in this part of `moe`"),
                  "`moe --help` shows all commands.");
}

}  // namespace moe
