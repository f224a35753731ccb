// The answers that an exercise keeps (its reference, its stub, wrong ones), and what must come of each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/grade/verdict.hpp"

namespace moe {

struct KeptAnswer {
  const grade::Exercise* exercise;
  std::filesystem::path file;
  enum class Kind : std::uint8_t { reference, stub, wrong } kind;
};

// The reference, the stub, then the wrong ones by name. The exercise must outlive them.
std::vector<KeptAnswer> kept_answers(const grade::Exercise& exercise);

// In how far the verdict is not what it should be, "" where it is: a reference passes without a warning, a stub fails every
// check, a wrong answer fails exactly those that its first line names, "// fails: Ties HandCase".
std::string complaint(const KeptAnswer& answer, const grade::Verdict& verdict);

}  // namespace moe
