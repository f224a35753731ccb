// Memory that can be closed: while closed, a read or write of it ends the process with a message. For tests that prove
// that the host leaves device memory alone. Linux. Private to kernels/base.
#pragma once

#include <cstddef>
#include <mutex>

namespace moe::detail {

// Closed unless opened, as often as it was opened. Opening and closing cost two system calls and some 0.1 µs a page used.
class ClosedMemory {
 public:
  explicit ClosedMemory(std::size_t reserve);  // address space only; pages come with their first use
  ~ClosedMemory();
  ClosedMemory(const ClosedMemory&) = delete;
  ClosedMemory& operator=(const ClosedMemory&) = delete;

  void* take(std::size_t bytes);  // never given back; std::bad_alloc at the end of the reserve
  void open();
  void close() noexcept;

 private:
  void protect() noexcept;  // as opened_ says

  std::mutex mutex_;
  std::byte* base_;
  std::size_t reserve_, used_ = 0;
  int opened_ = 0;
};

}  // namespace moe::detail
