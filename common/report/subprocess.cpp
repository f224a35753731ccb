#include "common/report/subprocess.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "kernels/base/check.hpp"

extern char** environ;

namespace moe {
namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    MOE_CHECK(pipe2(ends, O_CLOEXEC) == 0, "no pipe");
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() { close_end(read_end), close_end(write_end); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  static void close_end(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
  }
  int read_end, write_end;
};

// A broken pipe must show as EPIPE here, not kill this program.
class IgnoreBrokenPipe {
 public:
  IgnoreBrokenPipe() : before_(signal(SIGPIPE, SIG_IGN)) {}
  ~IgnoreBrokenPipe() { signal(SIGPIPE, before_); }

 private:
  void (*before_)(int);
};

// The new process, or -1 when there is no such program.
pid_t start(const std::vector<std::string>& words, const Pipe& in, const Pipe& out, const Pipe& err) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in.read_end, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out.write_end, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err.write_end, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t child = -1;
  const int error = posix_spawnp(&child, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  MOE_CHECK(error == 0 || error == ENOENT || error == EACCES, "cannot start ", words[0], ", errno ", error);
  return error == 0 ? child : -1;
}

void feed(int& fd, const std::string& input, std::size_t& sent) {
  const ssize_t n = write(fd, input.data() + sent, input.size() - sent);
  if (n > 0) sent += static_cast<std::size_t>(n);
  if (sent == input.size() || (n < 0 && errno != EAGAIN && errno != EINTR)) Pipe::close_end(fd);
}

void drain(int& fd, std::string& text) {
  char buffer[65536];
  const ssize_t n = read(fd, buffer, sizeof buffer);
  if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
  if (n == 0 || (n < 0 && errno != EINTR)) Pipe::close_end(fd);
}

// Writes and reads at once: either side may have more to say than a pipe holds. False: out of time.
bool exchange(Pipe& in, Pipe& out, Pipe& err, const std::string& input, ProgramResult& result,
              double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  fcntl(in.write_end, F_SETFL, O_NONBLOCK);
  std::size_t sent = 0;
  if (input.empty()) Pipe::close_end(in.write_end);
  while (out.read_end >= 0 || err.read_end >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    std::array<pollfd, 3> fds{
        {{in.write_end, POLLOUT, 0}, {out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}}};
    poll(fds.data(), fds.size(), static_cast<int>(left));
    if (in.write_end >= 0 && fds[0].revents != 0) feed(in.write_end, input, sent);
    if (out.read_end >= 0 && fds[1].revents != 0) drain(out.read_end, result.output);
    if (err.read_end >= 0 && fds[2].revents != 0) drain(err.read_end, result.errors);
  }
  return true;
}

}  // namespace

ProgramResult run_program(const std::vector<std::string>& words, const std::string& input, double seconds) {
  const IgnoreBrokenPipe quiet;
  Pipe in, out, err;
  ProgramResult result;
  const pid_t child = start(words, in, out, err);
  if (child < 0) return result;
  result.found = true;
  Pipe::close_end(in.read_end), Pipe::close_end(out.write_end), Pipe::close_end(err.write_end);
  if (!exchange(in, out, err, input, result, seconds)) {
    kill(child, SIGKILL);
    result.errors += concat(words[0], " took more than ", seconds, " s");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace moe
