#include "kernels/base/closed_memory.hpp"

#include <execinfo.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <new>

namespace moe::detail {
namespace {

constexpr std::size_t kAlignment = 256;  // as a GPU's
constexpr std::size_t kPage = 4096;

// What the signal handler may look at: the reserves that live now. More than these still end the process, only silently.
struct Range {
  std::atomic<std::uintptr_t> begin{0}, end{0};
};
std::array<Range, 64> ranges;
struct sigaction before {};  // what SIGSEGV did before us

void announce(std::uintptr_t begin, std::uintptr_t end) {
  for (Range& range : ranges) {
    std::uintptr_t none = 0;
    if (!range.begin.compare_exchange_strong(none, begin)) continue;
    range.end = end;
    return;
  }
}
void withdraw(std::uintptr_t begin) {
  for (Range& range : ranges)
    if (range.begin == begin) range.begin = range.end = 0;
}
bool inside_closed_memory(std::uintptr_t address) {
  for (const Range& range : ranges)
    if (range.begin <= address && address < range.end) return true;
  return false;
}

// Says what happened, then lets the access fault again under whoever handled it before: a debugger and AddressSanitizer
// see it where it is.
void on_fault(int, siginfo_t* info, void*) {
  if (inside_closed_memory(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
    constexpr char kMessage[] =
        "the host touched device memory outside of launches and copies; its calls, innermost first:\n";
    [[maybe_unused]] const auto written = write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
    void* calls[32];
    backtrace_symbols_fd(calls, backtrace(calls, 32), STDERR_FILENO);
  }
  sigaction(SIGSEGV, &before, nullptr);
}

void watch_faults() {
  static const bool once [[maybe_unused]] = [] {
    void* call[1];
    backtrace(call, 1);  // loads what it needs now, not in the handler
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, &before);
    return true;
  }();
}

std::size_t round_up(std::size_t n, std::size_t to) {
  return (n + to - 1) / to * to;
}

}  // namespace

ClosedMemory::ClosedMemory(std::size_t reserve) : reserve_(round_up(reserve, kPage)) {
  void* const memory = mmap(nullptr, reserve_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  base_ = static_cast<std::byte*>(memory);
  watch_faults();
  announce(reinterpret_cast<std::uintptr_t>(base_), reinterpret_cast<std::uintptr_t>(base_) + reserve_);
}

ClosedMemory::~ClosedMemory() {
  withdraw(reinterpret_cast<std::uintptr_t>(base_));
  munmap(base_, reserve_);
}

void* ClosedMemory::take(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  const std::size_t rounded = round_up(bytes, kAlignment);
  if (rounded > reserve_ - used_) throw std::bad_alloc();
  void* const block = base_ + used_;
  used_ += rounded;
  if (opened_ > 0) protect();
  return block;
}

void ClosedMemory::open() {
  const std::lock_guard lock(mutex_);
  if (opened_++ == 0) protect();
}

void ClosedMemory::close() noexcept {
  const std::lock_guard lock(mutex_);
  if (--opened_ == 0) protect();
}

void ClosedMemory::protect() noexcept {
  if (used_ > 0) mprotect(base_, round_up(used_, kPage), opened_ > 0 ? PROT_READ | PROT_WRITE : PROT_NONE);
}

}  // namespace moe::detail
