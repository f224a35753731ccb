// The commands of `moe`: the one table, read by the program `moe`, which shows them and finds them, and by the programs that
// carry them out. Those are apart so that a command builds no more than it runs: `./moe demo` compiles neither the grader
// nor the benchmarks.
//
// A new command: a function in the folder of its program, a row in the main.cpp there, a row here.
#pragma once

#include <span>
#include <string_view>

namespace moe {

// Gets argc and argv from the command's own name on (argv[0] is "list", "generate", ...), returns an exit code; errors are
// UserError.
using CommandFunction = int (*)(int argc, char** argv);

struct Command {
  std::string_view name;
  std::string_view program;  // "moe" itself, a program beside it, or "": the launcher does it, ./moe
  std::string_view usage;
  std::string_view summary;
};

std::span<const Command> commands();

// Throws UserError (usage) that names the nearest existing one.
const Command& find_command(std::string_view name);

struct CommandRow {
  std::string_view name;
  CommandFunction function;
};

// What a program beside `moe` does: argv[1] names one of its commands.
int run_command(std::span<const CommandRow> rows, int argc, char** argv);

}  // namespace moe
