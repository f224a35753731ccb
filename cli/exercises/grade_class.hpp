// Grades a class's submissions, several answers at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/exercises/class_grades.hpp"

namespace moe {

// paths: archives or directories, in the order of the result, each with a verdict an exercise unless it is refused. One
// bad submission never stops the others; the same seed gives the same verdicts. Shows progress. nullopt: interrupted.
std::optional<std::vector<Submission>> grade_class(const std::vector<std::string>& paths,
                                                   const std::vector<grade::Exercise>& exercises,
                                                   std::uint64_t seed, int jobs);

}  // namespace moe
