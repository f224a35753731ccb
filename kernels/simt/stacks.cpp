#include "kernels/simt/stacks.hpp"

#include <sys/mman.h>

#include <memory>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace moe::simt {
namespace {
constexpr std::size_t kPage = 4096;
}

Stacks::Stacks(std::size_t count) : count_(count) {
  std::size_t space = (count + 1) * kStackBytes;
  mapped_ = mmap(nullptr, space, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped_ == MAP_FAILED) throw std::bad_alloc();
  void* begin = mapped_;
  memory_ = static_cast<std::byte*>(std::align(kStackBytes, count * kStackBytes, begin, space));
  for (std::size_t i = 0; i < count; ++i) mprotect(memory_ + i * kStackBytes, kPage, PROT_NONE);
}

Stacks::~Stacks() {
  forget_frames();
  munmap(mapped_, (count_ + 1) * kStackBytes);
}

// AddressSanitizer keeps the gaps between a frame's variables poisoned until the function returns.
void Stacks::forget_frames() {
#if defined(__SANITIZE_ADDRESS__)
  for (std::size_t i = 0; i < count_; ++i)
    ASAN_UNPOISON_MEMORY_REGION(memory_ + i * kStackBytes + kPage, kStackBytes - kPage);
#endif
}

}  // namespace moe::simt
