// moe teach VERB: what a teacher needs.
#include "cli/exercises/teach.hpp"

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "common/app/flag_value.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

struct Verb {
  std::string_view name;
  int (*function)(int argc, char** argv);
  std::string_view summary;
};

constexpr Verb kVerbs[] = {
    {"release", teach_release_main, "a copy of the course for a class"},
    {"grade", teach_grade_main, "a class's submissions"},
    {"report", teach_report_main, "pass rates, and what was hard"},
    {"show", teach_show_main, "what a learner reads of a wrong answer"},
    {"cost", teach_cost_main, "seconds that grading takes"},
    {"check", teach_check_main, "prove the graders: references, stubs, wrong answers"},
    {"rehearse", teach_rehearse_main, "grade a made-up class, and look whether every verdict is right"},
};

int print_help() {
  std::printf("usage: moe teach VERB [OPTIONS]      moe teach VERB --help shows a verb's options\n\n");
  for (const Verb& verb : kVerbs) std::printf("  %-10s %s\n", verb.name.data(), verb.summary.data());
  return 0;
}

}  // namespace

int teach_main(int argc, char** argv) {
  const std::string_view word = argc > 1 ? argv[1] : "--help";
  if (word == "--help" || word == "-h") return print_help();
  std::vector<std::string> names;
  for (const Verb& verb : kVerbs) {
    if (verb.name == word) return verb.function(argc - 1, argv + 1);
    names.emplace_back(verb.name);
  }
  throw UserError(ExitCode::usage, concat("moe teach has no verb '", word, "'"),
                  did_you_mean(word, names) + "`moe teach --help` shows all.");
}

}  // namespace moe
