// The worker from outside: starts it, speaks the protocol with it under a deadline, and says how it ended.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "common/grade/answer.hpp"

namespace moe::grade {

struct Reply {
  std::vector<std::byte> arrays, result;
  Notes notes;
};

class WorkerProcess {
 public:
  explicit WorkerProcess(AnswerOptions options) : options_(std::move(options)) {}
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  struct Sizes {
    std::size_t arrays, result;
  };
  // Sends a request and reads a reply of exactly these sizes. Throws Failed.
  Reply exchange(const std::vector<std::byte>& request, std::uint32_t sequence, Sizes sizes);
  std::string printed();
  void limit_seconds(double seconds) { options_.seconds = seconds; }
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Outcome { done, closed, late };
  void start();
  Outcome transfer(const std::byte* out, std::size_t out_bytes, std::byte* in, std::size_t in_bytes,
                   Clock::time_point deadline);
  void drain_text();
  void wait_briefly();  // for a process that is about to end
  [[noreturn]] void fail(Outcome outcome);
  void close_all();
  double seconds_of_all_calls() const;

  AnswerOptions options_;
  bool started_ = false;
  int child_ = -1, request_fd_ = -1, reply_fd_ = -1, text_fd_ = -1;
  double waited_ = 0;  // seconds, for all calls so far
  std::string text_;   // printed, the first kMostText bytes
};

}  // namespace moe::grade
