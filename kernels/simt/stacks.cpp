#include "kernels/simt/stacks.hpp"

#include <sys/mman.h>

#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace moe::simt {
namespace {
constexpr std::size_t kPage = 4096;
}

Stacks::Stacks(std::size_t count) : count_(count) {
  void* memory = mmap(nullptr, count * kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<std::byte*>(memory);
  for (std::size_t i = 0; i < count; ++i) mprotect(memory_ + i * kStackBytes, kPage, PROT_NONE);
}

Stacks::~Stacks() {
  forget_frames();
  munmap(memory_, count_ * kStackBytes);
}

// AddressSanitizer keeps the gaps between a frame's variables poisoned until the function returns.
void Stacks::forget_frames() {
#if defined(__SANITIZE_ADDRESS__)
  for (std::size_t i = 0; i < count_; ++i)
    ASAN_UNPOISON_MEMORY_REGION(memory_ + i * kStackBytes + kPage, kStackBytes - kPage);
#endif
}

}  // namespace moe::simt
