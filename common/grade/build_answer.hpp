// From an answer's source to a worker: compile in a scratch directory that holds the contract and nothing else of the
// repository, look at what was included, link against the prebuilt parts (exercises/CMakeLists.txt).
#pragma once

#include <filesystem>
#include <string>

#include "common/grade/exercise.hpp"

namespace moe::grade {

struct BuiltAnswer {
  bool ok = false;
  std::string text;               // of the compiler, of the linker, or why it was refused
  std::filesystem::path program;  // the worker
};

// `scratch`: an empty directory of the caller's. Answers are at most 1 MiB. About 0.4 s for a CPU exercise, 2 s for a
// kernel. Throws UserError where `answer` cannot be read.
BuiltAnswer build_answer(const Exercise& exercise, const std::filesystem::path& answer,
                         const std::filesystem::path& scratch);

// Has this build what the exercise needs? Kernels need the checked device.
bool is_gradable(const Exercise& exercise);

}  // namespace moe::grade
