// Ctrl-C: the first SIGINT or SIGTERM asks the loop to stop at the next step, where it saves a checkpoint;
// the second ends the process at once with code 130.
#pragma once

#include <signal.h>

namespace moe {

// Set since the guard was made. A relaxed atomic load: poll it every step. False without a guard.
bool interrupted();

// Installs the handlers, and restores what was there before. One alive at a time: signals belong to the
// process, so this is one of the few places with state of its own (MOE_CHECK).
class InterruptGuard {
 public:
  // `notice` is written to stderr at the first signal; it must outlive the guard.
  explicit InterruptGuard(const char* notice = "Stopping after this step; Ctrl-C again ends at once.");
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

}  // namespace moe
