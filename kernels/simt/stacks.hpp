// The stacks of a block's threads.
#pragma once

#include <cstddef>
#include <cstdint>

namespace moe::simt {

inline constexpr std::size_t kStackBytes = 64 * 1024;

// `count` stacks, each above a page that must not be touched: a kernel that overflows its stack ends with a
// segmentation fault, not in its neighbour's variables. Each stands at a multiple of kStackBytes, so that addresses of one
// stack differ in their low bits only. Memory is taken from the system as it is touched.
class Stacks {
 public:
  explicit Stacks(std::size_t count);  // throws std::bad_alloc
  ~Stacks();
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;

  std::size_t count() const { return count_; }
  bool contains(std::uintptr_t address) const {
    return address - reinterpret_cast<std::uintptr_t>(memory_) < count_ * kStackBytes;
  }

  // Where stack i begins to grow down; a multiple of 16. Stacks at equal distances would all use the same few sets of
  // the first-level cache, so each begins 320 bytes further down than the one before, modulo a page.
  std::byte* top(std::size_t i) const { return memory_ + (i + 1) * kStackBytes - i * 320 % 4096; }

  // Frames were left without returning: nothing on the stacks is alive any more.
  void forget_frames();

 private:
  std::size_t count_;
  void* mapped_;  // one stack more than needed
  std::byte* memory_;
};

}  // namespace moe::simt
