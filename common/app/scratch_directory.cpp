#include "common/app/scratch_directory.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "kernels/base/check.hpp"

namespace moe {

namespace fs = std::filesystem;

ScratchDirectory::ScratchDirectory(const std::string& name) {
  std::error_code none;
  const fs::path parent = fs::temp_directory_path(none);
  std::string pattern = (parent / (name + "_XXXXXX")).string();
  if (none || !mkdtemp(pattern.data()))
    throw UserError(ExitCode::bad_file,
                    concat("cannot make a directory ", pattern, ": ", std::strerror(errno)),
                    "TMPDIR=/another/place names where");
  path_ = pattern;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace moe
