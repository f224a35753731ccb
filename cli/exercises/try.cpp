// moe try: one answer against its checks.
#include <cstdio>
#include <filesystem>
#include <optional>

#include "cli/exercises/learn.hpp"
#include "cli/exercises/workspace.hpp"
#include "common/app/flags.hpp"
#include "common/app/terminal.hpp"
#include "common/grade/sandbox.hpp"
#include "common/grade/show.hpp"
#include "kernels/base/check.hpp"

namespace moe {

namespace fs = std::filesystem;

namespace {

std::string next_step(const Workspace& work, const grade::Verdict& verdict,
                      const std::vector<grade::Exercise>& all) {
  const std::string &name = verdict.exercise.name, moe = work.program() + " ";
  if (verdict.state == grade::State::not_graded) return moe + "doctor";
  if (!verdict.passed()) {
    const bool more_hints = verdict.built && work.state(verdict.exercise).hints < 3;
    return moe + (more_hints ? "hint " : "try ") + name;
  }
  const grade::Exercise* next = work.next(all);
  return next ? moe + "try " + next->name : moe + "grade";
}

}  // namespace

void warn_if_unsealed() {
  if (grade::can_seal()) return;
  std::fputs(
      "warning: this system filters no system calls (seccomp). Answers run with limits of time and memory\n"
      "  alone: grade only what you trust, or as root, which gives every answer a user of its own.\n",
      stderr);
}

grade::Verdict try_answer(Workspace& work, const grade::Exercise& exercise,
                          const grade::GradeOptions& options, bool every_failure) {
  work.provide(exercise);
  const fs::path answer = work.answer(exercise);
  const grade::Verdict verdict = grade::grade_answer(exercise, answer, options);
  if (options.check.empty()) work.record(verdict);
  const std::string text = grade::show(
      verdict,
      {.colour = colour_mode(), .every_failure = every_failure, .file = fs::proximate(answer).string()});
  std::fputs(text.c_str(), stdout);
  return verdict;
}

int try_main(int argc, char** argv) {
  std::string name;
  bool every = false;
  grade::GradeOptions options;
  std::optional<std::int64_t> seed;
  Flags flags("moe try", "Checks your answer to one exercise.",
              "moe try top_k_gate\nmoe try top_k_gate --seed 7 --all");
  flags.add("exercise", name, "its name; without one: the first that is not passed");
  flags.add("--seed", seed, "of the random cases; without it a new one every time", at_least(0));
  flags.add("--check", options.check, "this check only");
  flags.add("--all", every, "show every failure, not only the first");
  flags.parse(argc, argv);
  options.stop_when_late = !every;
  options.seed = seed ? static_cast<std::uint64_t>(*seed) : grade::fresh_seed();
  const std::vector<grade::Exercise> all = grade::find_exercises();
  Workspace work = Workspace::find();
  warn_if_unsealed();
  const grade::Exercise* exercise = name.empty() ? work.next(all) : &grade::find_exercise(all, name);
  if (!exercise) exercise = &all.front();
  const grade::Verdict verdict = try_answer(work, *exercise, options, every);
  std::printf("next: %s\n", next_step(work, verdict, all).c_str());
  if (verdict.state == grade::State::not_graded) return static_cast<int>(ExitCode::missing);
  return verdict.passed() ? 0 : 1;
}

}  // namespace moe
