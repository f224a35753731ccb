// `moe`: one door to everything here. It holds no stage and no algorithm; it finds the program that does what was asked.
#include <cstdio>
#include <string_view>

#include "cli/commands.hpp"
#include "cli/run_program.hpp"
#include "cli/stage_commands.hpp"
#include "common/app/main.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

constexpr CommandRow kOwn[] = {{"demo", demo_main}, {"list", list_main}, {"stage", stage_main}};

int print_help() {
  std::printf(
      "MoE Odyssey %s: Mixture-of-Experts for language models, from the kernel to the trained model.\n\n"
      "usage: ./moe COMMAND [OPTIONS]      ./moe COMMAND --help shows a command's options\n\n",
      version());
  for (const Command& command : commands())
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

int dispatch(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "--help";
  if (word == "--help" || word == "-h" || word == "help") return print_help();
  if (word == "--version") return std::printf("moe %s\n", version()), 0;
  if (word == "targets") return targets_main(argc - 1, argv + 1);
  const Command& command = find_command(word);
  if (command.program == "moe") return run_command(kOwn, argc, argv);
  if (command.program.empty())
    throw UserError(ExitCode::usage, concat("`", word, "` is a command of the launcher"),
                    concat("In the repository's root: ./moe ", word));
  become_program(command.program, concat("./moe ", word), {argv + 1, static_cast<std::size_t>(argc - 1)});
}

}  // namespace
}  // namespace moe

int main(int argc, char** argv) {
  return moe::run_main([&] { return moe::dispatch(argc, argv); });
}
