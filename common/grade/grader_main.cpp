#include "common/grade/grader_main.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "common/app/flag_value.hpp"
#include "common/app/flags.hpp"
#include "common/app/scratch_directory.hpp"
#include "common/grade/build_answer.hpp"
#include "common/grade/check.hpp"
#include "common/grade/sandbox.hpp"
#include "common/report/escape.hpp"
#include "kernels/base/check.hpp"

namespace moe::grade {
namespace {

struct Options {
  std::string exercise, answer, report, check;
  std::uint64_t seed = 1;
  double seconds = 0;
  bool list = false, bare = false, stop_when_late = false;
};

// What every check of this run shares.
struct Grading {
  Options options;
  Exercise exercise;
  BuiltAnswer built;
  std::filesystem::path scratch;
  std::map<std::string, std::vector<double>> example;
  std::string late{};  // the first check in which the answer did not come back
};

AnswerOptions answer_options(const Grading& run) {
  AnswerOptions o{.program = run.built.program.string(), .scratch = (run.scratch / "run").string()};
  o.seconds = run.options.seconds > 0 ? run.options.seconds : run.exercise.device ? 20 : 4;
  o.seal = !run.options.bare && can_seal();
  if (run.exercise.device)
    o.address_space = std::uint64_t{16} << 30;  // what is reserved to be closed to the host
  return o;
}

// A check's own seed: another for every name, so that a new check does not move the numbers of the others.
std::uint64_t seed_of(const std::string& check, std::uint64_t seed) {
  std::uint64_t hash = 0xcbf29ce484222325u ^ seed * 0x9e3779b97f4a7c15u;
  for (const char c : check) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

class GradedTest : public ::testing::Test {
 public:
  GradedTest(const GradedCheck& check, Grading& run) : check_(check), run_(run) {}

  void TestBody() override {
    RecordProperty("points", check_.points);
    RecordProperty("meaning", check_.meaning);
    if (!run_.built.ok) return fail("does not compile");
    if (run_.options.stop_when_late && !run_.late.empty())
      return fail(concat("has not been tried: it did not come back in ", run_.late));
    Answer answer(answer_options(run_));
    Check check(answer, seed_of(check_.name, run_.options.seed), run_.example);
    try {
      check_.body(check);
      answer.finish();
      record_award(check);
    } catch (const Failed& failed) {
      const std::string why = failed.what();
      if (run_.late.empty() && why.starts_with("does not come back")) run_.late = check_.name;
      fail(with_context(failed.what(), check));
    } catch (const std::exception& error) {  // the exercise's own fault, not the learner's
      RecordProperty("broken", "yes");
      fail(concat("could not be checked: ", error.what()));
    }
    record(answer);
  }

 private:
  void fail(const std::string& text) {
    RecordProperty("failure", text);
    ADD_FAILURE() << text;
  }
  std::string with_context(std::string text, const Check& check) const {
    text = replaced(std::move(text), (run_.scratch / "build/").string(), "");
    if (text.starts_with("is wrong\n") || text.starts_with("has not written"))
      return text;  // names its case itself
    if (!text.ends_with('\n')) text += '\n';
    return text + check.context();
  }
  void record_award(const Check& check) {
    const double points = check_.points * check.fraction();
    RecordProperty("earned", points > 0 ? static_cast<int>(points + 1e-9) : 0);  // rounded down
    if (!check.remark().empty()) RecordProperty("remark", check.remark());
  }
  void record(Answer& answer) {
    if (const std::string text = answer.printed(); !text.empty()) RecordProperty("printed", text);
    if (!answer.notes.empty()) RecordProperty("notes", to_text(answer.notes));
  }

  const GradedCheck& check_;
  Grading& run_;
};

int list() {
  for (const GradedCheck& c : graded_checks())
    std::printf("%s\t%s\t%d\n", c.exercise.c_str(), c.name.c_str(), c.points);
  return 0;
}

Options parse(int argc, char** argv) {
  Options o;
  Flags flags("grader", "Grades one answer of one exercise; `moe try` and `moe grade` start it.");
  flags.add("exercise", o.exercise, "its folder or name");
  flags.add("--answer", o.answer, "the answer's source");
  flags.add("--report", o.report, "where GoogleTest's JSON goes");
  flags.add("--seed", o.seed, "of the random cases");
  flags.add("--check", o.check, "this check only");
  flags.add("--seconds", o.seconds, "for one call of the answer; 0: what the exercise has");
  flags.add("--bare", o.bare, "without the filter of system calls: for the grader's own tests");
  flags.add("--stop-when-late", o.stop_when_late, "no further check once the answer does not come back");
  flags.add("--list", o.list, "list all checks");
  flags.parse(argc, argv);
  if (!o.list && (o.exercise.empty() || o.answer.empty() || o.report.empty()))
    throw UserError(ExitCode::usage, "EXERCISE, --answer and --report are needed", "");
  return o;
}

// Throws UserError (usage) where the exercise has no such check.
void require_check(const Exercise& exercise, const std::string& name) {
  std::vector<std::string> names;
  for (const GradedCheck& c : graded_checks())
    if (c.exercise == exercise.id) names.push_back(c.name);
  if (std::find(names.begin(), names.end(), name) == names.end())
    throw UserError(ExitCode::usage, concat(exercise.name, " has no check '", name, "'"),
                    concat(did_you_mean(name, names), "moe try ", exercise.name, "   names all of them"));
}

int register_checks(Grading& run) {
  int count = 0;
  for (const GradedCheck& c : graded_checks()) {
    if (c.exercise != run.exercise.id || (!run.options.check.empty() && c.name != run.options.check))
      continue;
    ::testing::RegisterTest(run.exercise.name.c_str(), c.name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [&c, &run]() -> ::testing::Test* { return new GradedTest(c, run); });
    ++count;
  }
  return count;
}

// GoogleTest reads its options from a command line; its own words go nowhere.
void start_googletest(const std::string& report) {
  std::string output = "--gtest_output=json:" + report, program = "grader", colour = "--gtest_color=no";
  char* words[] = {program.data(), output.data(), colour.data(), nullptr};
  int count = 3;
  ::testing::InitGoogleTest(&count, words);
  std::fflush(stdout);
  const int nowhere = open("/dev/null", O_WRONLY);
  if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO);
}

}  // namespace

int grader_main(int argc, char** argv) {
  protect_this_process();
  signal(SIGINT, SIG_IGN);  // Ctrl-C ends `moe`; the grader comes to its end by itself, and tidies up
  Grading run{.options = parse(argc, argv)};
  if (run.options.list) return list();
  run.exercise = find_exercise(find_exercises(), run.options.exercise);
  const ScratchDirectory scratch("moe_grade");
  run.scratch = scratch.path();
  if (geteuid() == 0)
    chmod(scratch.path().c_str(), 0711);  // the answer's user passes through, but does not look around
  run.built = build_answer(run.exercise, run.options.answer, run.scratch);
  std::filesystem::create_directories(run.scratch / "run");
  if (const unsigned user = spare_user())
    MOE_CHECK(chown((run.scratch / "run").c_str(), user, user) == 0, "no scratch directory");
  run.example = read_example(run.exercise.folder / "README.md");
  start_googletest(run.options.report);
  if (!run.options.check.empty()) require_check(run.exercise, run.options.check);
  if (register_checks(run) == 0)
    throw UserError(ExitCode::missing, concat("the grader has no checks of ", run.exercise.name),
                    "Build it again: cmake --build build/cpu --target grader");
  ::testing::Test::RecordProperty("built", run.built.ok ? "yes" : "no");
  if (!run.built.text.empty()) ::testing::Test::RecordProperty("compiler", run.built.text);
  (void)!RUN_ALL_TESTS();
  return 0;
}

}  // namespace moe::grade
