#include "common/io/atomic_file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace moe {
namespace {

std::filesystem::path directory_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

// A name nobody else writes to: the process id keeps programs apart, the number two writers of one program.
std::filesystem::path unused_name(const std::filesystem::path& target) {
  for (int i = 0;; ++i) {
    std::filesystem::path name = target;
    name += concat(".tmp-", ::getpid(), "-", i);
    std::error_code ignored;
    if (!std::filesystem::exists(std::filesystem::symlink_status(name, ignored))) return name;
  }
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  std::error_code ignored;
  if (std::filesystem::is_directory(target_, ignored))
    bad_file(target_, "is a directory", "give the path of a file");
  const std::filesystem::path temporary = unused_name(target_);
  writer_.emplace(temporary, FileWriter::Existing::refuse);
  temporary_ = temporary;  // from here on it is ours to remove
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

FileSum AtomicFile::commit() {
  MOE_CHECK(!temporary_.empty(), target_.string(), " is committed");
  const FileSum sum = writer_->close();
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0)
    system_failure(target_, "cannot be replaced", errno);
  temporary_.clear();
  sync_path(directory_of(target_));
  return sum;
}

FileSum write_file_atomically(const std::filesystem::path& target, std::string_view contents) {
  AtomicFile file(target);
  file.write(contents);
  return file.commit();
}

}  // namespace moe
