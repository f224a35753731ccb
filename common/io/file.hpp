// Files: sequential writes that add up a CRC-32, positioned reads, and errors that name the file.
//
// Every fault is a UserError(ExitCode::bad_file) with the file, the system's reason and what to do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "kernels/base/check.hpp"

namespace moe {

// What a file should hold: enough to notice any single flipped bit, a cut end and an extra one.
struct FileSum {
  std::uint64_t bytes = 0;
  std::uint32_t crc32 = 0;  // the polynomial of zlib, gzip and PNG
  bool operator==(const FileSum&) const = default;
};

std::uint32_t crc32_of(std::string_view bytes);
std::string hex32(std::uint32_t value);  // "cbf43926"

// "dtype" with quotes; control bytes become '?', long text is cut: a hostile file must not write to the
// terminal.
std::string quote(std::string_view text);

[[noreturn]] void bad_file(const std::filesystem::path& path, const std::string& what,
                           const std::string& remedy);
// The same with the system's text for `error` (an errno) behind `what`.
[[noreturn]] void system_failure(const std::filesystem::path& path, const std::string& what, int error);

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  int close();  // what close(2) returned; 0 when there was nothing to close

 private:
  int fd_;
};

// Writes from the start to the end. Nothing is durable before close() returned.
class FileWriter {
 public:
  enum class Existing { replace, refuse };
  FileWriter(std::filesystem::path path, Existing existing);
  void write(const void* data, std::size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  FileSum close();  // fsync and close; returns what was written

 private:
  std::filesystem::path path_;
  Descriptor fd_;
  FileSum sum_;
};

// Reads at any position of a regular file; never blocks on a pipe, never maps memory, so a file that shrinks
// while it is read is an error and not a signal.
class FileReader {
 public:
  explicit FileReader(std::filesystem::path path);
  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }  // bytes, when opened
  void read(std::uint64_t offset, void* into, std::size_t bytes) const;

 private:
  std::filesystem::path path_;
  Descriptor fd_;
  std::uint64_t size_;
};

FileSum sum_of_file(const std::filesystem::path& path);
// The whole file as text; refuses one of more than `most` bytes before it allocates.
std::string read_text_file(const std::filesystem::path& path, std::uint64_t most);

// Makes what was written to an open file, or renamed within a directory, survive a power cut.
void sync_path(const std::filesystem::path& path);

}  // namespace moe
