// moe teach show, cost: what a learner reads of a wrong answer; what grading costs.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "cli/exercises/teach.hpp"
#include "common/app/flags.hpp"
#include "common/app/format.hpp"
#include "common/app/terminal.hpp"
#include "common/grade/show.hpp"
#include "common/report/table.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;
using grade::Exercise;

// "overflow" -> wrong/overflow.cpp; "stub" and "reference" are answers, too.
fs::path kept_answer(const Exercise& e, const std::string& slip) {
  if (slip == "stub") return e.stub();
  if (slip == "reference") return e.reference();
  const fs::path file = e.folder / "wrong" / (slip + e.stub().extension().string());
  if (!fs::exists(file))
    throw UserError(ExitCode::usage, concat(e.name, " has no wrong answer '", slip, "'"),
                    concat("ls ", (e.folder / "wrong").string()));
  return file;
}

}  // namespace

int teach_show_main(int argc, char** argv) {
  std::string name, slip = "stub";
  bool every = false;
  grade::GradeOptions options{.seed = 1};
  Flags flags("moe teach show", "What a learner reads of a wrong answer.",
              "moe teach show top_k_gate overflow");
  flags.add("exercise", name, "its name", required());
  flags.add("answer", slip, "a file of its folder wrong, without the ending; or stub, reference");
  flags.add("--seed", options.seed, "of the random cases");
  flags.add("--all", every, "every failure, not only the first");
  flags.parse(argc, argv);
  const std::vector<Exercise> all = grade::find_exercises();
  const Exercise& e = grade::find_exercise(all, name);
  const grade::Verdict verdict = grade::grade_answer(e, kept_answer(e, slip), options);
  std::fputs(grade::show(verdict, {.colour = colour_mode(),
                                   .every_failure = every,
                                   .file = e.name + e.stub().extension().string()})
                 .c_str(),
             stdout);
  return 0;
}

int teach_cost_main(int argc, char** argv) {
  bool markdown = false;
  Flags flags("moe teach cost", "Seconds that an answer to each exercise takes, compiler included.",
              "moe teach cost");
  flags.add("--markdown", markdown, "as a table for a document");
  flags.parse(argc, argv);
  Table table({{"exercise", Align::left}, {"runs on", Align::left}, {"seconds"}});
  for (const Exercise& e : grade::find_exercises()) {
    double best = 1e9;  // of three: others use this machine as well
    for (int i = 0; i < 3; ++i) {
      const grade::Verdict v = grade::grade_answer(e, e.reference(), {.seed = 1});
      if (v.state == grade::State::graded) best = std::min(best, v.seconds);
    }
    if (best == 1e9) continue;
    table.row({e.name, e.device ? "checked device" : "cpu", format_fixed(best, 2)});
  }
  std::printf("%s", markdown ? table.markdown().c_str() : table.terminal().c_str());
  return 0;
}

}  // namespace moe
