// What try and watch share.
#pragma once

#include <string>
#include <vector>

#include "cli/workspace.hpp"

namespace moe {

// Grades the answer in the work directory, prints the verdict and the one command to run next, notes the points.
grade::Verdict try_answer(Workspace& work, const std::vector<grade::Exercise>& all,
                          const grade::Exercise& exercise, const grade::GradeOptions& options,
                          bool every_failure);

// "moe hint top_k_gate"
std::string next_step(const Workspace& work, const grade::Verdict& verdict,
                      const std::vector<grade::Exercise>& all);

}  // namespace moe
