// The learner's commands, and what they share.
#pragma once

#include <string>
#include <vector>

#include "cli/exercises/workspace.hpp"

namespace moe {

int start_main(int argc, char** argv);     // a work directory
int watch_main(int argc, char** argv);     // checks on save
int try_main(int argc, char** argv);       // one answer
int hint_main(int argc, char** argv);      // the next hint
int progress_main(int argc, char** argv);  // all exercises
int reset_main(int argc, char** argv);     // an answer as it was
int solution_main(int argc, char** argv);  // the reference
int grade_main(int argc, char** argv);     // all answers

// Says on stderr when this system cannot keep an answer from what it should not do.
void warn_if_unsealed();

// Grades the answer in the work directory, prints the verdict, notes the points.
grade::Verdict try_answer(Workspace& work, const grade::Exercise& exercise,
                          const grade::GradeOptions& options, bool every_failure);

// Prints a hint and notes that it was seen. number 0: the next one.
void show_hint(Workspace& work, const grade::Exercise& exercise, int number);

}  // namespace moe
