// What came of an answer: the grader's report as plain data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "common/grade/exercise.hpp"
#include "common/grade/notes.hpp"

namespace moe::grade {

struct CheckVerdict {
  std::string name;
  int points = 0;
  int earned = 0;  // all, none, or a part where a check gives parts
  bool passed = false;
  bool broken = false;  // could not be checked: the exercise's own fault
  std::string failure;  // got, expected, case; "" where passed
  std::string meaning;  // what a failure usually means
  std::string remark;   // of a check that gives parts of its points
  std::string printed;  // what the answer printed, its beginning
  Notes notes;          // of the device: "global memory", "4.0 sectors ..."
  double seconds = 0;
};

enum class State : std::uint8_t {
  graded,
  not_graded
};  // not_graded: neither passed nor failed, `reason` says why

struct Verdict {
  Exercise exercise;
  State state = State::graded;
  std::string reason;
  bool built = true;
  std::string compiler;  // its words; where built, warnings
  std::vector<CheckVerdict> checks;
  std::uint64_t seed = 0;
  double seconds = 0;

  int earned() const;
  int possible() const;  // of the checks; where none ran, what the README says
  bool passed() const { return state == State::graded && !checks.empty() && earned() == possible(); }
  const CheckVerdict* first_failure() const;
};

// "passed", "not passed yet", "does not compile", "no answer", "not graded (no device)".
std::string summary(const Verdict& verdict);

struct GradeOptions {
  std::uint64_t seed = 1;
  std::string check{};  // this one only; "": all
  double seconds = 0;   // for one call of the answer; 0: what the exercise has
  bool bare = false;    // without the filter of system calls: for the grader's own tests
  // Once the answer does not come back in a check, the others fail without a run: nobody waits for every one of them.
  bool stop_when_late = false;
};

// Starts the grader, a process of its own, on one answer. Thread-safe. Throws UserError where there is no such file or no
// grader, Error where it gives no report or no check ran.
Verdict grade_answer(const Exercise& exercise, const std::filesystem::path& answer,
                     const GradeOptions& options);

// GoogleTest's JSON as the grader writes it. Throws Error where it is none, or no test ran.
Verdict parse_report(const Exercise& exercise, const std::string& json);

// A seed that nobody knew before.
std::uint64_t fresh_seed();

}  // namespace moe::grade
