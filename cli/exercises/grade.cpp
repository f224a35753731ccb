// moe grade: all answers of a work directory, as a table and as files.
#include <cstdio>
#include <optional>

#include "cli/exercises/learn.hpp"
#include "cli/exercises/workspace.hpp"
#include "common/app/flags.hpp"
#include "common/app/machine.hpp"
#include "common/app/progress.hpp"
#include "common/app/terminal.hpp"
#include "common/app/utf8.hpp"
#include "common/grade/results.hpp"
#include "common/report/table.hpp"
#include "common/report/write_file.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

using grade::Verdict;

std::string failed_checks(const Verdict& v) {
  if (!v.built || v.state == grade::State::not_graded || v.passed()) return grade::summary(v);
  std::string text;
  for (const grade::CheckVerdict& c : v.checks)
    if (!c.passed) text += concat(text.empty() ? "fails " : ", ", c.name);
  return text.empty() ? grade::summary(v) : text;
}

void print_table(const std::vector<Verdict>& verdicts) {
  Table table({{"exercise", Align::left}, {"points"}, {"result", Align::left}});
  for (const Verdict& v : verdicts) {
    const bool graded = v.state == grade::State::graded;
    table.row({v.exercise.name, graded ? concat(v.earned(), "/", v.possible()) : "-",
               truncate_to_width(failed_checks(v), 40)});
  }
  const grade::Total total = grade::total_of(verdicts);
  table.rule().row(
      {"total", concat(total.earned, "/", total.possible),
       concat(total.passed, " passed, ", total.failed, " not, ", total.not_graded, " not graded")});
  std::printf("%s", table.terminal().c_str());
}

void write_files(const std::filesystem::path& directory, const std::vector<Verdict>& verdicts) {
  std::filesystem::create_directories(directory);
  write_file(directory / "grade.json", grade::to_gradescope(verdicts));
  write_file(directory / "junit.xml", grade::to_junit(verdicts));
  write_file(directory / "grade.csv", grade::to_csv(verdicts));
}

// 0: all passed; 1: something failed; 3: nothing could be graded.
ExitCode exit_code(const grade::Total& total) {
  if (total.failed > 0) return ExitCode::verdict_failed;
  return total.passed > 0 ? ExitCode::ok : ExitCode::missing;
}

}  // namespace

int grade_main(int argc, char** argv) {
  std::vector<std::string> names;
  std::string directory, out;
  int jobs = this_machine().cores;
  grade::GradeOptions options;
  std::optional<std::int64_t> seed;
  Flags flags("moe grade", "Grades your answers: a table, grade.json (Gradescope), junit.xml, grade.csv.",
              "moe grade\nmoe grade s1 --seed 7 --out results");
  flags.add("exercises", names, "names, s1, or all");
  flags.add("--seed", seed, "of the random cases; without it a new one every time", at_least(0));
  flags.add("--answers", directory, "a directory of answers; without it the work directory");
  flags.add("--out,-o", out, "where the files go; without it beside the answers");
  flags.add("--jobs,-j", jobs, "answers at a time", between(1, 64));
  flags.parse(argc, argv);
  options.seed = seed ? static_cast<std::uint64_t>(*seed) : grade::fresh_seed();
  const std::vector<grade::Exercise> all = grade::find_exercises();
  const std::vector<grade::Exercise> chosen = grade::choose_exercises(all, names);
  Workspace work = directory.empty() ? Workspace::find() : Workspace::read_only(directory);
  warn_if_unsealed();
  std::vector<grade::Task> tasks;
  for (const grade::Exercise& e : chosen) tasks.push_back({&e, work.answer(e)});
  Progress progress(static_cast<std::int64_t>(tasks.size()), {.unit = "answer"});
  std::int64_t done = 0;
  const std::vector<Verdict> verdicts =
      grade::grade_many(tasks, options, jobs, [&](std::size_t, const Verdict& v) {
        work.record(v);
        progress.update(++done, {v.exercise.name});
      });
  progress.finish();
  print_table(verdicts);
  const std::filesystem::path files = out.empty() ? work.directory() : std::filesystem::path(out);
  write_files(files, verdicts);
  std::printf("seed %llu; grade.json, junit.xml and grade.csv are in %s\n",
              static_cast<unsigned long long>(options.seed), files.c_str());
  const grade::Total total = grade::total_of(verdicts);
  for (const Verdict& v : verdicts)
    if (!v.passed() && v.state == grade::State::graded) {
      std::printf("next: %s try %s\n", work.program().c_str(), v.exercise.name.c_str());
      break;
    }
  return static_cast<int>(exit_code(total));
}

}  // namespace moe
