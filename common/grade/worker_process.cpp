#include "common/grade/worker_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/app/format.hpp"
#include "common/grade/sandbox.hpp"
#include "kernels/base/check.hpp"

namespace moe::grade {
namespace {

constexpr std::size_t kMostText = 4096;       // kept of what an answer prints
constexpr std::uint32_t kMostMessage = 4096;  // of a reply's text and notes

constexpr const char* kForged = "writes into the pipe that its results go through";

struct Pipe {
  int read_end, write_end;
};
Pipe make_pipe() {
  int ends[2];
  MOE_CHECK(pipe2(ends, O_CLOEXEC) == 0, "no pipe, errno ", errno);
  return {ends[0], ends[1]};
}

void close_end(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

std::string signal_reason(int number, const AnswerOptions& options) {
  switch (number) {
    case SIGSEGV:
    case SIGBUS:
      return "crashes: it reads or writes where it has no memory (segmentation fault)";
    case SIGABRT:
      return "aborts: a failed assertion, an index out of range or memory that was overwritten";
    case SIGFPE:
      return "crashes: an integer division by zero";
    case SIGSYS:
      return "asks the system for a file, a program, a process, a thread or the network: an answer may only "
             "compute";
    case SIGXCPU:
    case SIGKILL:
      return concat("is ended by the system: more than its share of processor time or of memory (",
                    format_bytes(static_cast<double>(options.memory)), ")");
    default:
      return concat("is ended by signal ", number, " (", strsignal(number), ")");
  }
}

std::string ending(int status, const AnswerOptions& options) {
  if (WIFSIGNALED(status)) return signal_reason(WTERMSIG(status), options);
  if (WEXITSTATUS(status) == 127)
    return "cannot be started (an error of the grader or of its scratch directory)";
  return concat("ends the program, exit(", WEXITSTATUS(status), "), instead of returning");
}

}  // namespace

void WorkerProcess::start() {
  started_ = true;
  const Pipe request = make_pipe(), reply = make_pipe(), text = make_pipe();
  child_ = spawn({.words = {options_.program, options_.seal ? "sealed" : "bare"},
                  .environment = {"LANG=C"},
                  .directory = options_.scratch,
                  .request_fd = request.read_end,
                  .reply_fd = reply.write_end,
                  .text_fd = text.write_end,
                  .limits = {.address_space = options_.address_space,
                             .data = options_.memory,
                             .cpu_seconds = static_cast<int>(seconds_of_all_calls())},
                  .user = spare_user()});
  close(request.read_end), close(reply.write_end), close(text.write_end);
  request_fd_ = request.write_end, reply_fd_ = reply.read_end, text_fd_ = text.read_end;
  for (const int fd : {request_fd_, reply_fd_, text_fd_}) fcntl(fd, F_SETFL, O_NONBLOCK);
}

// Waiting costs an answer no processor time: without this limit one that sleeps could hold the grader up for hours.
double WorkerProcess::seconds_of_all_calls() const {
  return options_.seconds * 4 + 1;
}

WorkerProcess::~WorkerProcess() {
  close_all();
  if (child_ > 0) end_child(child_);
}

void WorkerProcess::close_all() {
  close_end(request_fd_), close_end(reply_fd_), close_end(text_fd_);
}

void WorkerProcess::drain_text() {
  char buffer[4096];
  ssize_t n;
  while (text_fd_ >= 0 && (n = read(text_fd_, buffer, sizeof buffer)) != -1) {
    if (n == 0) return close_end(text_fd_);
    text_.append(buffer,
                 std::min(static_cast<std::size_t>(n), kMostText - std::min(kMostText, text_.size())));
  }
}

std::string WorkerProcess::printed() {
  drain_text();
  return text_;
}

WorkerProcess::Outcome WorkerProcess::transfer(const std::byte* out, std::size_t out_bytes, std::byte* in,
                                               std::size_t in_bytes, Clock::time_point deadline) {
  std::size_t sent = 0, got = 0;
  while (sent < out_bytes || got < in_bytes) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return Outcome::late;
    std::array<pollfd, 3> fds{{{sent < out_bytes ? request_fd_ : -1, POLLOUT, 0},
                               {got < in_bytes ? reply_fd_ : -1, POLLIN, 0},
                               {text_fd_, POLLIN, 0}}};
    poll(fds.data(), fds.size(), static_cast<int>(left));
    if (fds[2].revents) drain_text();
    if (fds[0].revents) {
      const ssize_t n = write(request_fd_, out + sent, out_bytes - sent);
      if (n < 0 && errno != EAGAIN && errno != EINTR) return Outcome::closed;
      if (n > 0) sent += static_cast<std::size_t>(n);
    }
    if (fds[1].revents) {
      const ssize_t n = read(reply_fd_, in + got, in_bytes - got);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return Outcome::closed;
      if (n > 0) got += static_cast<std::size_t>(n);
    }
  }
  return Outcome::done;
}

void WorkerProcess::wait_briefly() {
  for (int i = 0; i < 100; ++i) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0)
      return;
    usleep(1000);
  }
}

void WorkerProcess::fail(Outcome outcome) {
  if (outcome == Outcome::late) {
    drain_text();
    end_child(std::exchange(child_, -1));
    if (waited_ >= seconds_of_all_calls())
      throw Failed(concat("takes more than ", format_duration(seconds_of_all_calls()),
                          " for all calls of this check: far too much work"));
    throw Failed(concat("does not come back within ", format_duration(options_.seconds),
                        ": an endless loop, or far too much work"));
  }
  wait_briefly();
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT);
  const bool ended = info.si_pid != 0;
  drain_text();
  const int status = end_child(std::exchange(child_, -1));
  // Closed memory says so before it ends the process (kernels/base/closed_memory.cpp).
  if (text_.starts_with("the host touched device memory"))
    throw Failed("touches the device's memory on the host: only kernels may");
  if (!ended) throw Failed("closes the descriptors that its results go through");
  throw Failed(ending(status, options_));
}

Reply WorkerProcess::exchange(const std::vector<std::byte>& request, std::uint32_t sequence, Sizes sizes) {
  if (!started_) start();
  if (child_ < 0) throw Failed("has ended before");
  const auto begin = Clock::now();
  const double seconds = std::min(options_.seconds, seconds_of_all_calls() - waited_);
  const auto deadline =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  const auto end_of_call = [&] { waited_ += std::chrono::duration<double>(Clock::now() - begin).count(); };
  ReplyHeader header;
  Outcome outcome = transfer(request.data(), request.size(), reinterpret_cast<std::byte*>(&header),
                             sizeof header, deadline);
  if (outcome != Outcome::done) end_of_call(), fail(outcome);
  const bool ok = header.status == Status::ok;
  const Sizes wanted = ok ? sizes : Sizes{0, 0};
  if (header.magic != kMagic || header.sequence != sequence || header.array_bytes != wanted.arrays ||
      header.result_bytes != wanted.result || header.text_bytes > kMostMessage ||
      header.note_bytes > kMostMessage || header.status > Status::misuse)
    throw Failed(kForged);
  std::vector<std::byte> body(wanted.arrays + wanted.result + header.text_bytes + header.note_bytes);
  outcome = transfer(nullptr, 0, body.data(), body.size(), deadline);
  end_of_call();
  if (outcome != Outcome::done) fail(outcome);
  const char* text = reinterpret_cast<const char*>(body.data()) + wanted.arrays + wanted.result;
  const std::string message(text, header.text_bytes);
  if (header.status == Status::misuse)
    throw Error("the exercise's checks do not fit its contract: " + message);
  if (header.status == Status::device) throw Failed("is stopped by the checked device:\n" + message);
  if (!ok) throw Failed("throws an exception: " + message);
  const auto split = body.begin() + static_cast<std::ptrdiff_t>(wanted.arrays);
  return {{body.begin(), split},
          {split, split + static_cast<std::ptrdiff_t>(wanted.result)},
          parse_notes({text + header.text_bytes, header.note_bytes})};
}

void WorkerProcess::finish() {
  if (child_ < 0) return;
  drain_text();
  close_end(request_fd_);
  wait_briefly();
  char more;  // a call has one reply: whoever forged the last one's has left the worker's behind it
  const bool forged = read(reply_fd_, &more, 1) == 1;
  int left_behind = 0;
  end_child(std::exchange(child_, -1), &left_behind);
  if (left_behind > 0)
    throw Failed(concat("leaves ", left_behind, left_behind == 1 ? " process" : " processes", " behind"));
  if (forged) throw Failed(kForged);
}

}  // namespace moe::grade
