#include "common/grade/submission.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <clocale>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "kernels/base/check.hpp"

#ifdef MOE_HAVE_LIBARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif

namespace moe::grade {
namespace {

namespace fs = std::filesystem;

struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Unpacking {
 public:
  Unpacking(const std::set<std::string>& wanted, fs::path directory, const UnpackLimits& limits)
      : wanted_(wanted), directory_(std::move(directory)), limits_(limits) {}

  // Throws Refused. `path` is as the archive has it.
  void look_at(const std::string& path, bool is_file, bool is_directory) {
    if (++entries_ > limits_.entries) throw Refused(concat("more than ", limits_.entries, " files"));
    if (!is_file && !is_directory) throw Refused("a link or a device: " + path);
    for (const fs::path& part : fs::path(path))
      if (part == ".." || part == "/") throw Refused("a path that leads out of the archive: " + path);
  }
  bool wants(const std::string& path) const { return wanted_.contains(fs::path(path).filename().string()); }
  void count(std::size_t bytes) {
    if ((all_bytes_ += bytes) > limits_.all_bytes)
      throw Refused(concat("more than ", limits_.all_bytes >> 20, " MiB when unpacked"));
  }
  void keep(const std::string& path, const std::string& content) {
    const std::string name = fs::path(path).filename().string();
    if (content.size() > limits_.file_bytes)
      throw Refused(concat(name, " is larger than ", limits_.file_bytes >> 10, " KiB"));
    if (!kept_.insert(name).second) throw Refused("two files are named " + name);
    std::ofstream(directory_ / name, std::ios::binary) << content;
  }

 private:
  const std::set<std::string>& wanted_;
  fs::path directory_;
  UnpackLimits limits_;
  int entries_ = 0;
  std::uint64_t all_bytes_ = 0;
  std::set<std::string> kept_;
};

#ifdef MOE_HAVE_LIBARCHIVE
using Archive = std::unique_ptr<archive, int (*)(archive*)>;

// Reads the entry's data even where it is not wanted: a bomb must not pass unseen for its name.
std::string read_entry(archive* from, Unpacking& unpacking, bool keep, const UnpackLimits& limits) {
  std::string content;
  std::vector<char> buffer(65536);
  la_ssize_t n;
  while ((n = archive_read_data(from, buffer.data(), buffer.size())) > 0) {
    unpacking.count(static_cast<std::size_t>(n));
    if (keep && content.size() <= limits.file_bytes)
      content.append(buffer.data(), static_cast<std::size_t>(n));
  }
  if (n < 0) throw Refused("the archive is broken");
  return content;
}

void unpack_archive(const fs::path& file, Unpacking& unpacking, const UnpackLimits& limits) {
  const Archive from(archive_read_new(), archive_read_free);
  archive_read_support_format_zip(from.get());
  archive_read_support_format_tar(from.get());
  archive_read_support_filter_gzip(from.get());
  if (archive_read_open_filename(from.get(), file.c_str(), 65536) != ARCHIVE_OK)
    throw Refused("no zip or tar archive");
  archive_entry* entry = nullptr;
  int status;
  while ((status = archive_read_next_header(from.get(), &entry)) == ARCHIVE_OK || status == ARCHIVE_WARN) {
    const char* name = archive_entry_pathname(entry);
    if (!name) throw Refused("a file without a name");
    const std::string path = name;
    const bool link = archive_entry_symlink(entry) || archive_entry_hardlink(entry);
    const auto type = archive_entry_filetype(entry);
    unpacking.look_at(path, type == AE_IFREG && !link, type == AE_IFDIR);
    if (type != AE_IFREG) continue;
    const bool keep = unpacking.wants(path);
    const std::string content = read_entry(from.get(), unpacking, keep, limits);
    if (keep) unpacking.keep(path, content);
  }
  if (status != ARCHIVE_EOF) throw Refused("the archive is broken");
}
#else
void unpack_archive(const fs::path&, Unpacking&, const UnpackLimits&) {
  throw Refused("this build reads no archives: apt-get install libarchive-dev, then ./moe clean");
}
#endif

void copy_directory(const fs::path& from, Unpacking& unpacking, const UnpackLimits& limits) {
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const std::string path = entry.path().lexically_relative(from).string();
    unpacking.look_at(path, entry.symlink_status().type() == fs::file_type::regular,
                      entry.symlink_status().type() == fs::file_type::directory);
    if (entry.is_directory() || !unpacking.wants(path)) continue;
    if (entry.file_size() > limits.file_bytes) throw Refused(path + " is too large");
    std::ifstream in(entry.path(), std::ios::binary);
    unpacking.keep(path, {std::istreambuf_iterator<char>(in), {}});
  }
}

[[noreturn]] void child(const fs::path& archive, const std::set<std::string>& wanted,
                        const fs::path& directory, const UnpackLimits& limits, int reason_fd) {
  const rlimit memory{std::uint64_t{1} << 30, std::uint64_t{1} << 30};
  const rlimit file{limits.file_bytes + 1, limits.file_bytes + 1};
  setrlimit(RLIMIT_DATA, &memory);
  setrlimit(RLIMIT_FSIZE, &file);
  setlocale(LC_CTYPE, "C.UTF-8");  // libarchive has no name for an entry that the locale cannot spell
  std::string reason;
  try {
    Unpacking unpacking(wanted, directory, limits);
    fs::is_directory(archive) ? copy_directory(archive, unpacking, limits)
                              : unpack_archive(archive, unpacking, limits);
  } catch (const std::exception& error) {
    reason = error.what();
  }
  if (reason.size() > 500) reason.resize(500);
  const bool sent = write(reason_fd, reason.data(), reason.size()) == static_cast<ssize_t>(reason.size());
  _exit(sent && reason.empty() ? 0 : 1);
}

// The child's exit status; -1 when it had to be stopped.
int wait_at_most(pid_t pid, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() >= end) {
      kill(pid, SIGKILL);
      waitpid(pid, &status, 0);
      return -1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

}  // namespace

std::string unpack(const fs::path& archive, const std::set<std::string>& wanted, const fs::path& directory,
                   const UnpackLimits& limits) {
  int ends[2];
  MOE_CHECK(pipe2(ends, O_CLOEXEC) == 0, "no pipe");
  const pid_t pid = fork();
  MOE_CHECK(pid >= 0, "no process");
  if (pid == 0) child(archive, wanted, directory, limits, ends[1]);
  close(ends[1]);
  const int status = wait_at_most(pid, limits.seconds);
  char text[512];
  const ssize_t n = read(ends[0], text, sizeof text);
  close(ends[0]);
  if (status == 0) return "";
  if (status < 0) return concat("takes more than ", limits.seconds, " s to unpack");
  return n > 0 ? std::string(text, static_cast<std::size_t>(n)) : "unpacking it crashes";
}

bool can_unpack() {
#ifdef MOE_HAVE_LIBARCHIVE
  return true;
#else
  return false;
#endif
}

}  // namespace moe::grade
