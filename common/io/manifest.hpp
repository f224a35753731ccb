// manifest.json: what a checkpoint consists of. Written last, so a directory with a manifest was complete
// once.
//
//   {"format": "moe-odyssey-checkpoint", "version": 1, "step": 120, "fields": {"seed": "7"},
//    "files": [{"name": "model.safetensors", "bytes": 4096, "crc32": "cbf43926"}],
//    "manifest_crc32": "..."}
//
// The last line is the CRC-32 of all text before it: a flipped bit in the manifest itself is seen too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/io/file.hpp"
#include "common/io/safetensors_header.hpp"

namespace moe {

inline constexpr const char* kManifestName = "manifest.json";
inline constexpr int kManifestVersion = 1;

struct ManifestFile {
  std::string name;  // a plain name: no folders
  FileSum sum;
};

struct Manifest {
  std::int64_t step = 0;
  Metadata fields;  // whatever the program wants to find again
  std::vector<ManifestFile> files;
};

bool is_plain_name(std::string_view name);  // usable as a file of a checkpoint

std::string format_manifest(const Manifest& manifest);

// Throws UserError(bad_file) with `source` and `remedy` for any fault, an unknown version among them.
Manifest parse_manifest(std::string_view text, const std::string& source, const std::string& remedy);

}  // namespace moe
