#include "common/app/interrupt.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "common/app/main.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

// Lock-free, so that the handler may touch them.
std::atomic<int> signals{0};
std::atomic<const char*> notice_text{nullptr};
std::atomic<int> notice_length{0};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<const char*>::is_always_lock_free);

void write_notice() {
  const char* text = notice_text.load(std::memory_order_relaxed);
  if (!text) return;
  ssize_t ignored = write(STDERR_FILENO, "\n", 1);
  ignored =
      write(STDERR_FILENO, text, static_cast<std::size_t>(notice_length.load(std::memory_order_relaxed)));
  ignored = write(STDERR_FILENO, "\n", 1);
  static_cast<void>(ignored);  // nothing useful can be done about it in a handler
}

void on_signal(int) {  // only async-signal-safe calls from here on
  const int saved = errno;
  if (signals.fetch_add(1, std::memory_order_relaxed) > 0) _exit(kExitInterrupted);
  write_notice();
  errno = saved;
}

}  // namespace

bool interrupted() {
  return signals.load(std::memory_order_relaxed) > 0;
}

InterruptGuard::InterruptGuard(const char* notice) {
  MOE_CHECK(notice_text.load() == nullptr, "one InterruptGuard at a time");
  signals = 0;
  notice_length = static_cast<int>(std::strlen(notice));
  notice_text = notice;
  stack_t stack{};
  stack.ss_sp = stack_.data();
  stack.ss_size = stack_.size();
  sigaltstack(&stack, &before_stack_);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK | SA_RESTART;  // the step in progress finishes; no call of ours returns EINTR
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_int_);
  sigaction(SIGTERM, &action, &before_term_);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &before_int_, nullptr);
  sigaction(SIGTERM, &before_term_, nullptr);
  sigaltstack(&before_stack_, nullptr);
  notice_text = nullptr;
  signals = 0;
}

}  // namespace moe
