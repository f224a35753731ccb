// What the learner's commands share.
#pragma once

#include <string>
#include <vector>

#include "cli/workspace.hpp"

namespace moe {

// Says on stderr when this system cannot keep an answer from what it should not do.
void warn_if_unsealed();

// Grades the answer in the work directory, prints the verdict, notes the points.
grade::Verdict try_answer(Workspace& work, const grade::Exercise& exercise,
                          const grade::GradeOptions& options, bool every_failure);

// Prints a hint and notes that it was seen. number 0: the next one.
void show_hint(Workspace& work, const grade::Exercise& exercise, int number);

}  // namespace moe
