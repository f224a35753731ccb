// The grader: one answer of one exercise, from its source to GoogleTest's report. A process of its own, that nothing of the
// answer ever runs in.
//
//   grader EXERCISE --answer FILE --seed N --report FILE [--check NAME] [--bare]
//   grader --list            the checks: exercise, name, points, one a line
//
// The report is GoogleTest's JSON; per check the properties points, meaning, failure, printed, notes; for a whole run
// `compiler` (its words) and `built`. The exit code says whether there is a report, not whether the answer is right.
#pragma once

namespace moe::grade {

int grader_main(int argc, char** argv);

}  // namespace moe::grade
