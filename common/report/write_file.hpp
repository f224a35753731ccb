// Results on disk.
#pragma once

#include <string>
#include <string_view>

namespace moe {

// Writes a file in one piece: a reader sees the old content or the new. Throws UserError(bad_file).
void write_file(const std::string& path, std::string_view content);

// The directory and those above it. Throws UserError(bad_file), which advises another --out.
void make_directory(const std::string& directory);

}  // namespace moe
