#include "common/io/atomic_file.hpp"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/io/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;

// Runs `body` in a process of its own, so that limits and mounts end with it. Returns its exit code; -1 for a
// signal.
template <class Body>
int in_child(Body&& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      ::_exit(body());
    } catch (...) {
      ::_exit(99);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// 0 when a write that must fail with `reason` did, left the old file and no temporary.
int failed_write_is_clean(const std::filesystem::path& file, const std::string& text,
                          const std::string& reason) {
  try {
    write_file_atomically(file, text);
    return 1;  // it succeeded
  } catch (const UserError& error) {
    if (!says(error.what(), reason)) return 2;
  }
  if (contents(file) != "old") return 3;
  return entries_in(file.parent_path()) == 1 ? 0 : 4;
}

// False where the system does not let users have name spaces of their own.
bool become_root_of_own_mounts() {
  const std::string user = std::to_string(::getuid()), group = std::to_string(::getgid());
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  put("/proc/self/setgroups", "deny");  // the kernel asks for this before gid_map
  put("/proc/self/uid_map", "0 " + user + " 1");
  put("/proc/self/gid_map", "0 " + group + " 1");
  return ::getuid() == 0 && ::getgid() == 0;
}

TEST(AtomicFile, ReplacesTheWholeFile) {
  TemporaryDirectory directory;
  put(directory / "f", "a longer old text");
  const FileSum sum = write_file_atomically(directory / "f", "new");
  EXPECT_EQ(sum, (FileSum{3, crc32_of("new")}));
  EXPECT_EQ(contents(directory / "f"), "new");
  EXPECT_EQ(entries_in(directory.path()), 1u);
}

TEST(AtomicFile, TargetIsUntouchedUntilCommit) {
  TemporaryDirectory directory;
  put(directory / "f", "old");
  {
    AtomicFile file(directory / "f");
    file.write("half of the new te");
    EXPECT_EQ(contents(directory / "f"), "old");
    EXPECT_EQ(entries_in(directory.path()), 2u);
  }
  EXPECT_EQ(contents(directory / "f"), "old");
  EXPECT_EQ(entries_in(directory.path()), 1u) << "the temporary is left";
}

TEST(AtomicFile, TwoWritersOfOneFileDoNotMix) {
  TemporaryDirectory directory;
  AtomicFile first(directory / "f"), second(directory / "f");
  first.write("first");
  second.write("2nd");
  first.commit();
  EXPECT_EQ(contents(directory / "f"), "first");
  second.commit();
  EXPECT_EQ(contents(directory / "f"), "2nd");
}

TEST(AtomicFile, MissingDirectoryIsNamed) {
  TemporaryDirectory directory;
  const std::string text = complaint([&] { write_file_atomically(directory / "no/f", "x"); });
  EXPECT_TRUE(says(text, "no/f"));
  EXPECT_TRUE(says(text, "No such file or directory"));
}

TEST(AtomicFile, DirectoryIsNoTarget) {
  TemporaryDirectory directory;
  EXPECT_TRUE(says(complaint([&] { write_file_atomically(directory.path(), "x"); }), "is a directory"));
}

TEST(AtomicFile, RelativeNameWithoutFolderWorks) {
  TemporaryDirectory directory;
  EXPECT_EQ(in_child([&] {
              std::filesystem::current_path(directory.path());
              write_file_atomically("f", "x");
              return contents("f") == "x" ? 0 : 1;
            }),
            0);
}

TEST(AtomicFile, ShortWriteLeavesTheOldFile) {
  TemporaryDirectory directory;
  put(directory / "f", "old");
  EXPECT_EQ(in_child([&] {
              ::signal(SIGXFSZ, SIG_IGN);  // then write(2) is cut at the limit and the next one fails
              const rlimit limit{5000, 5000};
              if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 98;
              return failed_write_is_clean(directory / "f", std::string(20000, 'x'), "File too large");
            }),
            0);
}

TEST(AtomicFile, FullDiskLeavesTheOldFile) {
  TemporaryDirectory directory;
  const int result = in_child([&] {
    if (!become_root_of_own_mounts()) return 77;
    // A file system of 64 KiB, seen by this process only.
    if (::mount("none", directory.path().c_str(), "tmpfs", 0, "size=64k") != 0) return 77;
    put(directory / "f", "old");
    return failed_write_is_clean(directory / "f", std::string(1 << 20, 'x'), "No space left on device");
  });
  if (result == 77) GTEST_SKIP() << "no right to mount a small file system";
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace moe
