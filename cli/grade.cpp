// moe grade: all answers of a work directory.
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "common/app/flags.hpp"
#include "common/grade/show.hpp"
#include "common/report/table.hpp"
#include "kernels/base/check.hpp"

namespace moe {

int grade_main(int argc, char** argv) {
  std::vector<std::string> names;
  grade::GradeOptions options{.seed = grade::fresh_seed()};
  Flags flags("moe grade", "Grades your answers.", "moe grade\nmoe grade s1 --seed 7");
  flags.add("exercises", names, "names, s1, or all");
  flags.add("--seed", options.seed, "of the random cases; without it a new one every time");
  flags.parse(argc, argv);
  const std::vector<grade::Exercise> all = grade::find_exercises();
  Workspace work = Workspace::find();
  Table table({{"exercise", Align::left}, {"points"}, {"", Align::left}});
  bool good = true;
  for (const grade::Exercise& e : grade::choose_exercises(all, names)) {
    const grade::Verdict v = grade::grade_answer(e, work.answer(e), options);
    work.record(v);
    table.row({e.name, concat(v.earned(), "/", v.possible()), grade::summary(v)});
    good = good && (v.passed() || v.state == grade::State::not_graded);
  }
  std::printf("%s", table.terminal().c_str());
  return good ? 0 : 1;
}

}  // namespace moe
