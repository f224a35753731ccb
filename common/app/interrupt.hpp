// Ctrl-C: the first SIGINT or SIGTERM asks the loop to stop at the next step, where it saves a checkpoint;
// the second ends the process at once with code 130.
#pragma once

#include <signal.h>

#include <array>
#include <cstddef>

namespace moe {

// Set since the guard was made. A relaxed atomic load: poll it every step. False without a guard.
bool interrupted();

// Installs the handlers, and restores what was there before. They run on a stack of their own: the machine code that oneDNN
// 2.6 makes for sgemm keeps the stack pointer inside a heap block, and a handler's frame below it destroyed the heap. For
// the thread that makes the guard; those of a ThreadPool block both signals. One alive at a time: signals belong to the
// process, so this is one of the few places with state of its own (MOE_CHECK).
class InterruptGuard {
 public:
  // `notice` is written to stderr at the first signal; it must outlive the guard.
  explicit InterruptGuard(const char* notice = "Stopping after this step; Ctrl-C again ends at once.");
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  std::array<std::byte, 1 << 16> stack_;
  stack_t before_stack_{};
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

}  // namespace moe
