// Sessions and their stages: the one table. The launcher asks `moe targets ...` for what to build, so it
// knows none of this; sessions/CMakeLists.txt names the programs after their files by the same rule.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace moe {

struct Stage {
  std::string_view number;   // "1.7": session 1, file 07_*.cpp
  std::string_view name;     // "moe_vs_dense"
  std::string_view summary;  // one line: what it shows
  std::string_view source;   // from the repository's root
};

struct Session {
  std::string_view number;    // "1"
  std::string_view title;     // one line
  std::string_view main_job;  // number of the stage that `moe demo` runs
};

std::span<const Stage> stages();
std::span<const Session> sessions();

// Throw UserError (usage) that names the nearest existing one.
const Stage& find_stage(std::string_view number);
const Session& find_session(std::string_view number);

// "stage_1.7": name of the CMake target and of the program.
std::string program_of(const Stage& stage);

}  // namespace moe
