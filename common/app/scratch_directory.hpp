// A directory of this process's own, under TMPDIR, gone at the end with all that is in it.
#pragma once

#include <filesystem>
#include <string>

namespace moe {

class ScratchDirectory {
 public:
  // "moe_nvcc" makes something like /tmp/moe_nvcc_x3Fq0A, open to its owner alone. Throws UserError (bad_file).
  explicit ScratchDirectory(const std::string& name);
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace moe
