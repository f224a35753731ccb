#include "common/io/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

namespace moe {
namespace {

// One piece is summed and written while it is still in the cache.
constexpr std::size_t kPiece = std::size_t{1} << 20;

std::uint32_t extend(std::uint32_t crc, const void* data, std::size_t bytes) {
  return static_cast<std::uint32_t>(crc32_z(crc, static_cast<const Bytef*>(data), bytes));
}

const char* remedy_for(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space, or choose a folder on another disk";
    case EFBIG:
      return "raise the limit on file sizes (ulimit -f), or choose another file system";
    case EACCES:
    case EPERM:
    case EROFS:
      return "check the owner and the permissions of the file and its folder";
    case ENOENT:
      return "check the spelling of the path";
    case EIO:
      return "the disk reports a fault: copy what matters elsewhere";
    default:
      return "check the path and the disk";
  }
}

// A short write(2) is normal (signals, limits, a nearly full disk): go on until all is out or an error says
// why.
void write_all(int fd, const std::filesystem::path& path, const char* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t n = ::write(fd, data, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) system_failure(path, "cannot write", errno);
    data += n;
    bytes -= static_cast<std::size_t>(n);
  }
}

}  // namespace

std::uint32_t crc32_of(std::string_view bytes) {
  return extend(0, bytes.data(), bytes.size());
}

std::string hex32(std::uint32_t value) {
  std::string text(8, '0');
  for (std::size_t i = 8; i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  return text;
}

std::string quote(std::string_view text) {
  constexpr std::size_t kMost = 96;
  std::string shown(text.substr(0, kMost));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) >= 127) c = '?';
  return '"' + shown + (text.size() > kMost ? "...\"" : "\"");
}

void bad_file(const std::filesystem::path& path, const std::string& what, const std::string& remedy) {
  throw UserError(ExitCode::bad_file, path.string() + ": " + what, remedy);
}

void system_failure(const std::filesystem::path& path, const std::string& what, int error) {
  bad_file(path, what + ": " + std::generic_category().message(error), remedy_for(error));
}

int Descriptor::close() {
  return fd_ < 0 ? 0 : ::close(std::exchange(fd_, -1));
}

FileWriter::FileWriter(std::filesystem::path path, Existing existing) : path_(std::move(path)) {
  const int mode = existing == Existing::replace ? O_TRUNC : O_EXCL;
  fd_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | mode, 0666));
  if (fd_.get() < 0) system_failure(path_, "cannot be created", errno);
}

void FileWriter::write(const void* data, std::size_t bytes) {
  const char* piece = static_cast<const char*>(data);
  for (std::size_t done = 0; done < bytes;) {
    const std::size_t n = std::min(kPiece, bytes - done);
    sum_.crc32 = extend(sum_.crc32, piece + done, n);
    write_all(fd_.get(), path_, piece + done, n);
    done += n;
  }
  sum_.bytes += bytes;
}

FileSum FileWriter::close() {
  // Devices and some pipes cannot be synchronised (EINVAL); they hold nothing that could be lost.
  if (::fsync(fd_.get()) != 0 && errno != EINVAL)
    system_failure(path_, "cannot be written to the disk", errno);
  if (fd_.close() != 0) system_failure(path_, "cannot be closed", errno);
  return sum_;
}

FileReader::FileReader(std::filesystem::path path) : path_(std::move(path)), size_(0) {
  // Without O_NONBLOCK opening a pipe would wait for a writer.
  fd_ = Descriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd_.get() < 0) system_failure(path_, "cannot be opened", errno);
  struct stat status;
  if (::fstat(fd_.get(), &status) != 0) system_failure(path_, "cannot be examined", errno);
  if (!S_ISREG(status.st_mode)) bad_file(path_, "is not a regular file", "give the path of a file");
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void FileReader::read(std::uint64_t offset, void* into, std::size_t bytes) const {
  char* place = static_cast<char*>(into);
  while (bytes > 0) {
    const ssize_t n = ::pread(fd_.get(), place, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) system_failure(path_, "cannot be read", errno);
    if (n == 0)
      bad_file(path_, concat("ends at byte ", offset, ", expected ", bytes, " more"),
               "another program cut it; fetch it again");
    place += n;
    offset += static_cast<std::uint64_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
}

FileSum sum_of_file(const std::filesystem::path& path) {
  const FileReader reader(path);
  std::vector<char> piece(std::min<std::uint64_t>(kPiece, reader.size()));
  FileSum sum;
  while (sum.bytes < reader.size()) {
    const std::size_t n = std::min<std::uint64_t>(piece.size(), reader.size() - sum.bytes);
    reader.read(sum.bytes, piece.data(), n);
    sum.crc32 = extend(sum.crc32, piece.data(), n);
    sum.bytes += n;
  }
  return sum;
}

std::string read_text_file(const std::filesystem::path& path, std::uint64_t most) {
  const FileReader reader(path);
  if (reader.size() > most)
    bad_file(path, concat("has ", reader.size(), " bytes, at most ", most, " are allowed"),
             "check that this is the file you meant");
  std::string text(reader.size(), '\0');
  reader.read(0, text.data(), text.size());
  return text;
}

void sync_path(const std::filesystem::path& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) system_failure(path, "cannot be opened", errno);
  // Some network file systems have no fsync for directories (EINVAL): there is nothing more to do on them.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) system_failure(path, "cannot be written to the disk", errno);
}

}  // namespace moe
