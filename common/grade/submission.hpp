// What a student hands in: a zip or tar file, or a directory, that holds answers somewhere. Archives are not trusted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

namespace moe::grade {

struct UnpackLimits {
  std::uint64_t file_bytes = 1 << 20;  // of an answer
  std::uint64_t all_bytes = 64 << 20;  // of everything in the archive, unpacked
  int entries = 10000;
  double seconds = 20;
};

// Puts the files of `wanted` names ("top_k_gate.cpp") into `directory`, from whatever folder of the archive; nothing else is
// written. Returns why the submission is refused, "" where it is not: a link, a path that leads out of the archive, two
// files of one name, too much data, a broken archive. Runs in a process of its own, with limits.
std::string unpack(const std::filesystem::path& archive, const std::set<std::string>& wanted,
                   const std::filesystem::path& directory, const UnpackLimits& limits = {});

// Can this build read archives?
bool can_unpack();

}  // namespace moe::grade
