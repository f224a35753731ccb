// AtomicFile: a file that is either the old one or the new one, whole, whatever happens while it is written.
//
// Writes to a temporary in the same directory, then fsync, rename over the target, fsync of the directory. An
// error, or destruction without commit(), removes the temporary and leaves the target as it was. A kill
// leaves at most a `NAME.tmp-...` behind. Faults are UserError(bad_file) with the system's reason.
#pragma once

#include <optional>

#include "common/io/file.hpp"

namespace moe {

class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t bytes) { writer_->write(data, bytes); }
  void write(std::string_view text) { writer_->write(text); }
  FileSum commit();  // once

 private:
  std::filesystem::path target_, temporary_;
  std::optional<FileWriter> writer_;
};

FileSum write_file_atomically(const std::filesystem::path& target, std::string_view contents);

}  // namespace moe
