// moe hint, progress, reset, solution.
#include <cstdio>
#include <filesystem>

#include "cli/exercises/learn.hpp"
#include "cli/exercises/workspace.hpp"
#include "common/app/flags.hpp"
#include "common/app/utf8.hpp"
#include "common/grade/show.hpp"
#include "common/report/write_file.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;
using grade::Exercise;

const Exercise& named_or_next(const std::string& name, const std::vector<Exercise>& all,
                              const Workspace& work) {
  if (!name.empty()) return grade::find_exercise(all, name);
  const Exercise* next = work.next(all);
  return next ? *next : all.back();
}

std::string standing(const ExerciseState& s) {
  const std::string peeked = s.peeked ? ", solution seen" : "";
  if (!s.tried) return "not tried" + peeked;
  if (s.passed() && s.peeked) return "passed" + peeked;  // with its points it would not fit in 80 columns
  return concat(s.earned, "/", s.possible, s.passed() ? " passed" : "", peeked);
}

}  // namespace

void show_hint(Workspace& work, const Exercise& e, int number) {
  const std::vector<std::string> hints = grade::read_hints(e);
  ExerciseState state = work.state(e);
  const int most = static_cast<int>(hints.size());
  if (number == 0) number = std::min(state.hints + 1, most);
  if (number < 1 || number > most)
    throw UserError(ExitCode::usage, concat(e.name, " has ", most, " hints"), "");
  state.hints = std::max(state.hints, number);
  work.save(e, state);
  std::printf("%s, hint %d of %d\n\n%s", e.name.c_str(), number, most,
              grade::wrap_paragraphs(hints[static_cast<std::size_t>(number - 1)]).c_str());
}

int hint_main(int argc, char** argv) {
  std::string name;
  int number = 0;
  Flags flags("moe hint", "The next hint for an exercise: there are three, each says more.",
              "moe hint top_k_gate");
  flags.add("exercise", name, "its name; without one: the first that is not passed");
  flags.add("--number", number, "this hint again", between(1, 3));
  flags.parse(argc, argv);
  const std::vector<Exercise> all = grade::find_exercises();
  Workspace work = Workspace::find();
  const Exercise& e = named_or_next(name, all, work);
  show_hint(work, e, number);
  std::printf("\nnext: %s try %s\n", work.program().c_str(), e.name.c_str());
  return 0;
}

int progress_main(int argc, char** argv) {
  Flags("moe progress", "Shows all exercises and how far you are.").parse(argc, argv);
  const std::vector<Exercise> all = grade::find_exercises();
  const Workspace work = Workspace::find();
  int passed = 0, earned = 0, possible = 0;
  std::string session;
  for (const Exercise& e : all) {
    const ExerciseState s = work.state(e);
    if (e.session != session) std::printf("Session %d\n", std::stoi(session = e.session));
    std::printf("  %s %-20s %-24s %s\n", s.passed() ? "ok" : " .", e.name.c_str(), standing(s).c_str(),
                truncate_to_width(e.title, 29).c_str());
    passed += s.passed(), earned += s.earned, possible += e.points;
  }
  std::printf("%d of %zu passed, %d of %d points\n", passed, all.size(), earned, possible);
  const Exercise* next = work.next(all);
  std::printf("next: %s %s\n", work.program().c_str(), next ? ("try " + next->name).c_str() : "grade");
  return 0;
}

int reset_main(int argc, char** argv) {
  std::string name;
  Flags flags("moe reset", "Puts an answer back as it was; yours is kept beside it, with .old at its end.",
              "moe reset top_k_gate");
  flags.add("exercise", name, "its name", required());
  flags.parse(argc, argv);
  Workspace work = Workspace::find();
  const std::vector<Exercise> all = grade::find_exercises();
  const Exercise& e = grade::find_exercise(all, name);
  const fs::path answer = work.answer(e), old = answer.string() + ".old";
  const std::string stub = grade::read_text(e.stub());
  const bool changed = fs::exists(answer) && grade::read_text(answer) != stub;
  if (changed) fs::rename(answer, old);  // else an earlier reset's copy would be lost
  write_file(answer, stub);
  ExerciseState state = work.state(e);
  state.earned = 0, state.possible = 0;
  work.save(e, state);
  std::printf("%s is as it was\n", answer.c_str());
  if (changed) std::printf("what you had: %s\n", old.c_str());
  std::printf("next: %s try %s\n", work.program().c_str(), e.name.c_str());
  return 0;
}

int solution_main(int argc, char** argv) {
  std::string name;
  bool peek = false;
  Flags flags("moe solution", "Shows a solution of an exercise, once you have passed it.",
              "moe solution top_k_gate\nmoe solution top_k_gate --peek");
  flags.add("exercise", name, "its name", required());
  flags.add("--peek", peek, "before that; it is noted in your progress");
  flags.parse(argc, argv);
  Workspace work = Workspace::find();
  const std::vector<Exercise> all = grade::find_exercises();
  const Exercise& e = grade::find_exercise(all, name);
  ExerciseState state = work.state(e);
  if (!state.passed() && !peek)
    throw UserError(ExitCode::verdict_failed, concat("you have not passed ", e.name, " yet"),
                    concat(work.program(), " hint ", e.name, "   says more\n  ", work.program(), " solution ",
                           e.name, " --peek   shows it all the same"));
  if (!fs::exists(e.reference()))
    throw UserError(ExitCode::missing, concat("this copy of the course has no solution of ", e.name), "");
  if (!state.passed()) {
    state.peeked = true;
    work.save(e, state);
  }
  const Exercise* next = state.passed() ? work.next(all) : &e;
  std::printf("%s\nnext: %s %s\n", grade::read_text(e.reference()).c_str(), work.program().c_str(),
              next ? ("try " + next->name).c_str() : "grade");
  return 0;
}

}  // namespace moe
