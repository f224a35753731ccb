// What an editor needs to complete and check answers in a work directory.
#pragma once

#include <filesystem>
#include <vector>

#include "common/grade/exercise.hpp"

namespace moe {

// compile_commands.json (clangd, and editors that read it), .clangd, and the program `moe`.
void write_editor_files(const std::filesystem::path& directory, const std::vector<grade::Exercise>& all);

}  // namespace moe
