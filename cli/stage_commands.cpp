#include "cli/stage_commands.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <iterator>
#include <set>
#include <string_view>

#include "cli/commands.hpp"
#include "cli/run_program.hpp"
#include "cli/stages.hpp"
#include "common/app/flags.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

std::span<char* const> arguments_from(int first, int argc, char** argv) {
  return {argv + first, static_cast<std::size_t>(argc - first)};
}

// demo [SESSION] ...: is the session named? It is 1 otherwise.
bool names_session(int argc, char** argv) {
  return argc > 1 && std::isdigit(static_cast<unsigned char>(argv[1][0]));
}

const Stage& main_job(int argc, char** argv) {
  return find_stage(find_session(names_session(argc, argv) ? argv[1] : "1").main_job);
}

bool is_help(std::string_view argument) {
  return argument == "--help" || argument == "-h";
}

[[noreturn]] void become_stage(const Stage& stage, std::span<char* const> arguments) {
  become_program(program_of(stage), concat("./moe stage ", stage.number), arguments);
}

void print_target(const Stage& stage) {
  std::printf("%s\n", program_of(stage).c_str());
}

// What answers are checked with.
void print_grading(const Command& command) {
  constexpr std::string_view kGrading[] = {"try", "watch", "grade", "teach"};
  if (std::ranges::find(kGrading, command.name) != std::end(kGrading)) std::printf("exercises\n");
}

// Recorded figures come from all stages and all commands.
void print_all_targets() {
  for (const Stage& stage : stages()) print_target(stage);
  std::set<std::string_view> programs;
  for (const Command& command : commands()) {
    if (command.program != "moe" && !command.program.empty()) programs.insert(command.program);
    print_grading(command);
  }
  for (const std::string_view program : programs) std::printf("%s\n", program.data());
}

}  // namespace

int list_main(int argc, char** argv) {
  Flags("moe list", "Shows sessions and stages.").parse(argc, argv);
  for (const Session& session : sessions()) {
    std::printf("Session %s  %s\n", session.number.data(), session.title.data());
    for (const Stage& stage : stages()) {
      if (stage.number.substr(0, stage.number.find('.')) != session.number) continue;
      std::printf("  %-5s %-16s %s%s\n", stage.number.data(), stage.name.data(), stage.summary.data(),
                  stage.number == session.main_job ? "  (main job)" : "");
      std::printf("  %-5s %-16s %s, build/cpu/bin/%s\n", "", "", stage.source.data(),
                  program_of(stage).c_str());
    }
  }
  std::printf("\nmoe stage NUMBER runs one; moe stage NUMBER --help shows its options.\n");
  return 0;
}

int stage_main(int argc, char** argv) {
  if (argc < 2)
    throw UserError(ExitCode::usage, "which stage?", "`moe list` shows them; for instance: moe stage 1.7");
  if (is_help(argv[1])) {
    std::printf(
        "usage: moe stage NUMBER [OPTIONS]   options go to the stage; moe stage NUMBER --help shows "
        "them\n\n");
    return list_main(1, argv);
  }
  become_stage(find_stage(argv[1]), arguments_from(2, argc, argv));
}

int demo_main(int argc, char** argv) {
  become_stage(main_job(argc, argv), arguments_from(names_session(argc, argv) ? 2 : 1, argc, argv));
}

// Prints nothing where the command line is wrong: the command itself will say so.
int targets_main(int argc, char** argv) try {
  const Command& command = find_command(argc > 1 ? argv[1] : "");
  if (command.name == "stage" && argc > 2 && !is_help(argv[2])) print_target(find_stage(argv[2]));
  if (command.name == "demo") print_target(main_job(argc - 1, argv + 1));
  if (command.name == "figures") print_all_targets();
  if (command.program != "moe" && !command.program.empty()) std::printf("%s\n", command.program.data());
  print_grading(command);
  return 0;
} catch (const UserError&) {
  return 0;
}

}  // namespace moe
