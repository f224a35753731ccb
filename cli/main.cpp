// `moe`: one door to everything here. It holds no stage and no algorithm; it finds them and runs them.
#include "common/app/main.hpp"

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.hpp"
#include "common/app/flag_value.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

struct Command {
  std::string_view name;
  int (*function)(int argc, char** argv);  // null: the launcher does it, ./moe
  std::string_view usage;
  std::string_view summary;
};

constexpr Command kCommands[] = {
    {"demo", demo_main, "demo [SESSION]",
     "a session's main job; session 1: a dense against an MoE language model"},
    {"list", list_main, "list", "sessions and stages"},
    {"stage", stage_main, "stage NUMBER", "one stage; its options follow"},
#ifdef MOE_HAVE_EXERCISES
    {"start", start_main, "start DIR", "a directory for your answers to the exercises"},
    {"watch", watch_main, "watch", "check your answer whenever you save it"},
    {"try", try_main, "try [EXERCISE]", "check an answer"},
    {"hint", hint_main, "hint [EXERCISE]", "the next hint"},
    {"progress", progress_main, "progress", "all exercises, and how far you are"},
    {"reset", reset_main, "reset EXERCISE", "start an answer afresh"},
    {"solution", solution_main, "solution EXERCISE", "a solution, once you have passed"},
    {"grade", grade_main, "grade [s1]", "all answers, as a table and for machines"},
    {"teach", teach_main, "teach VERB", "for teachers: check, release, grade, report"},
#endif
    {"generate", generate_main, "generate --ckpt DIR", "text from a trained model"},
    {"convert", convert_main, "convert --from --to",
     "a model between our files and Mixtral's, OLMoE's, Llama's"},
    {"tokenizer", tokenizer_main, "tokenizer VERB", "train a byte-level BPE; encode and decode with one"},
    {"bench", bench_main, "bench NAME", "measurements against this machine's own limits"},
    {"figures", figures_main, "figures [--list]", "make the recorded figures and tables again"},
    {"doctor", doctor_main, "doctor", "what works on this machine, and how to get the rest"},
    {"test", nullptr, "test [CTEST ARGS]", "build everything and run all tests"},
    {"docs", nullptr, "docs", "the API pages, in build/docs/html"},
    {"clean", nullptr, "clean [--all]", "remove build/ (and runs/)"},
};

int print_help() {
  std::printf(
      "MoE Odyssey %s: Mixture-of-Experts for language models, from the kernel to the trained model.\n\n"
      "usage: ./moe COMMAND [OPTIONS]      ./moe COMMAND --help shows a command's options\n\n",
      version());
  for (const Command& command : kCommands)
    std::printf("  %-20s %s\n", command.usage.data(), command.summary.data());
  std::printf(
      "\nexamples:\n"
      "  ./moe demo                       both models on this machine's CPU; a report under runs/\n"
      "  ./moe demo 1 --quick             the same in under a minute\n"
      "  ./moe stage 1.7 --help           every option of that stage\n"
      "  ./moe test -R Router             the tests whose names match\n"
      "\nexit codes: 0 ok, 1 verdict failed, 2 usage, 3 device, package or program absent, 4 bad file\n");
  return 0;
}

const Command& find_command(std::string_view name) {
  std::vector<std::string> names;
  for (const Command& command : kCommands) {
    if (command.name == name) return command;
    names.emplace_back(command.name);
  }
  throw UserError(ExitCode::usage, concat("there is no command '", name, "'"),
                  did_you_mean(name, names) + "`moe --help` shows all commands.");
}

int dispatch(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "--help";
  if (word == "--help" || word == "-h" || word == "help") return print_help();
  if (word == "--version") return std::printf("moe %s\n", version()), 0;
  if (word == "targets") return targets_main(argc - 1, argv + 1);
  const Command& command = find_command(word);
  if (!command.function) {
    throw UserError(ExitCode::usage, concat("`", word, "` is a command of the launcher"),
                    concat("In the repository's root: ./moe ", word));
  }
  return command.function(argc - 1, argv + 1);
}

}  // namespace
}  // namespace moe

int main(int argc, char** argv) {
  return moe::run_main([&] { return moe::dispatch(argc, argv); });
}
