#include "cli/figures.hpp"

#include <cstdio>

#include "cli/commands.hpp"
#include "cli/run_stage.hpp"
#include "common/app/flags.hpp"

namespace moe {
namespace {

void print(const Figure& figure) {
  std::printf("%s (%s)\n  moe stage %s", figure.result.data(), figure.cost.data(), figure.stage.data());
  for (const std::string& argument : figure.arguments) std::printf(" %s", argument.c_str());
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

std::span<const Figure> figures() {
  static const std::vector<Figure> rows{};
  return rows;
}

int figures_main(int argc, char** argv) {
  bool list_only = false;
  Flags flags("moe figures", "Makes the recorded figures and tables again.");
  flags.add("--list", list_only, "only show what would run, and what it costs");
  flags.parse(argc, argv);
  if (figures().empty()) std::printf("No figure is recorded yet.\n");
  for (const Figure& figure : figures()) {
    print(figure);
    if (list_only) continue;
    if (const int code = run_stage(find_stage(figure.stage), figure.arguments)) return code;
  }
  return 0;
}

}  // namespace moe
