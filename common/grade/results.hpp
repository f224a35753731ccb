// Verdicts as files that other programs read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/grade/verdict.hpp"

namespace moe::grade {

// Gradescope's results.json: a test a check, score and max_score, status, output. What was not graded has no score and
// counts nowhere. (Gradescope autograder documentation, "Output format".)
std::string to_gradescope(const std::vector<Verdict>& verdicts);

// JUnit's XML, a suite an exercise; not graded is skipped.
std::string to_junit(const std::vector<Verdict>& verdicts);

// exercise,check,earned,possible,result,reason: a row a check. RFC 4180.
std::string to_csv(const std::vector<Verdict>& verdicts);

// One line: why a check is not passed; "" where it is.
std::string reason_of(const CheckVerdict& check);

// Sums over what was graded.
struct Total {
  int earned = 0, possible = 0, passed = 0, failed = 0, not_graded = 0;  // of exercises the last three
};
Total total_of(const std::vector<Verdict>& verdicts);

// Grades many answers, `jobs` at a time, in any order; results come in the order of the tasks. An answer that is not there
// gets no points; so does one on which the grader fails, with the reason: one bad answer never stops the others.
// `done(i)` is called after each, one at a time. Stops early where interrupted(): the rest is without checks then.
struct Task {
  const Exercise* exercise;
  std::filesystem::path answer;
};
std::vector<Verdict> grade_many(const std::vector<Task>& tasks, const GradeOptions& options, int jobs,
                                const std::function<void(std::size_t, const Verdict&)>& done = {});

}  // namespace moe::grade
