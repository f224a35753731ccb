#include "common/grade/sandbox.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "kernels/base/check.hpp"

namespace moe::grade {
namespace {

using Clock = std::chrono::steady_clock;

void limit(int resource, std::uint64_t value) {
  const rlimit both{value, value};
  setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

void set_limits(const Limits& limits) {
  if (limits.address_space) limit(RLIMIT_AS, limits.address_space);
  if (limits.data) limit(RLIMIT_DATA, limits.data);
  if (limits.cpu_seconds) limit(RLIMIT_CPU, static_cast<std::uint64_t>(limits.cpu_seconds));
  limit(RLIMIT_FSIZE, limits.file_bytes);
  limit(RLIMIT_NOFILE, 64);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NPROC, static_cast<std::uint64_t>(limits.processes));
  limit(RLIMIT_STACK, std::uint64_t{8} << 20);
  limit(RLIMIT_MEMLOCK, 0);
  limit(RLIMIT_MSGQUEUE, 0);
}

// Whatever of this works: each closes a way that the filter of calls closes as well.
void leave_network(bool root) {
  if (unshare(CLONE_NEWNET | CLONE_NEWIPC) == 0 || root) return;
  unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC);
}

bool become(unsigned user) {
  return setgroups(0, nullptr) == 0 && setresgid(user, user, user) == 0 && setresuid(user, user, user) == 0;
}

// Moves the wanted descriptors out of the way of 0 to 4 first.
void place_descriptors(const Spawn& what) {
  const int none = open("/dev/null", O_RDWR | O_CLOEXEC);
  const auto away = [&](int fd) { return fcntl(fd < 0 ? none : fd, F_DUPFD_CLOEXEC, 10); };
  const int in = away(-1), text = away(what.text_fd), request = away(what.request_fd),
            reply = away(what.reply_fd);
  dup2(in, 0), dup2(text, 1), dup2(text, 2);
  if (what.request_fd >= 0) dup2(request, 3);
  if (what.reply_fd >= 0) dup2(reply, 4);
  const unsigned first = what.request_fd >= 0 ? 5 : 3;
  if (syscall(SYS_close_range, first, ~0u, 0) != 0)
    for (int fd = static_cast<int>(first); fd < 4096; ++fd) close(fd);
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> all;
  for (const std::string& word : words) all.push_back(const_cast<char*>(word.c_str()));
  all.push_back(nullptr);
  return all;
}

[[noreturn]] void become_program(const Spawn& what, char* const* words, char* const* environment,
                                 const char* directory) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const bool root = geteuid() == 0;
  leave_network(root);
  place_descriptors(what);
  if (chdir(directory) != 0) _exit(127);
  umask(077);
  if (root && what.user != 0 && !become(what.user)) _exit(127);
  set_limits(what.limits);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(127);
  if (root) prctl(PR_SET_PDEATHSIG, SIGKILL);  // a change of user has cleared it
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) signal(number, SIG_DFL);
  execve(words[0], words, environment);
  _exit(127);
}

// Children of this process, from /proc.
std::vector<pid_t> children() {
  std::vector<pid_t> found;
  DIR* proc = opendir("/proc");
  if (!proc) return found;
  while (const dirent* entry = readdir(proc)) {
    const pid_t pid = std::atoi(entry->d_name);
    char path[64], text[512];
    std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
    if (pid <= 0) continue;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    const ssize_t n = read(file, text, sizeof text - 1);
    close(file);
    text[n > 0 ? n : 0] = '\0';
    const char* name_end = std::strrchr(text, ')');
    int parent = 0;
    if (name_end && std::sscanf(name_end + 1, " %*c %d", &parent) == 1 && parent == getpid())
      found.push_back(pid);
  }
  closedir(proc);
  return found;
}

int wait_status(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

pid_t spawn(const Spawn& what) {
  const std::vector<char*> words = pointers(what.words), environment = pointers(what.environment);
  const std::string directory = what.directory.string();
  const pid_t child = fork();
  MOE_CHECK(child >= 0, "no process for ", what.words[0]);
  if (child == 0) become_program(what, words.data(), environment.data(), directory.c_str());
  return child;
}

void protect_this_process() {
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

int end_child(pid_t child, int* left_behind) {
  kill(-child, SIGKILL);
  kill(child, SIGKILL);
  const int status = wait_status(child);
  // Orphans become ours one generation at a time; a bounded number of rounds, should something multiply.
  for (int round = 0; round < 1000; ++round) {
    const std::vector<pid_t> orphans = children();
    if (orphans.empty()) break;
    if (left_behind) *left_behind += static_cast<int>(orphans.size());
    for (const pid_t orphan : orphans) kill(orphan, SIGKILL);
    for (const pid_t orphan : orphans) wait_status(orphan);
  }
  return status;
}

bool wait_for(pid_t child, double seconds, int* status) {
  const auto end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (auto nap = std::chrono::microseconds(200);;
       nap = std::min(nap * 2, std::chrono::microseconds(10000))) {
    const pid_t ended = waitpid(child, status, WNOHANG);
    if (ended == child) {
      end_child(child);  // what it started
      return true;
    }
    if (Clock::now() >= end) break;
    std::this_thread::sleep_for(nap);
  }
  *status = end_child(child);
  return false;
}

// In a container not every id exists, and not every root may take one: tried once, in a child.
unsigned spare_user() {
  static const unsigned spare = [] {
    if (geteuid() != 0) return 0u;
    const unsigned own = static_cast<unsigned>(getpid());
    for (const unsigned user : {0x60000000u + own, 40000u + own % 20000u, 65534u}) {
      const pid_t child = fork();
      if (child == 0) _exit(become(user) ? 0 : 1);
      if (child > 0 && wait_status(child) == 0) return user;
    }
    return 0u;
  }();
  return spare;
}

bool can_seal() {
  static const bool can = [] {
    const pid_t child = fork();
    if (child == 0) {
      sock_filter allow{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
      sock_fprog program{1, &allow};
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      _exit(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : 1);
    }
    return child > 0 && wait_status(child) == 0;
  }();
  return can;
}

}  // namespace moe::grade
