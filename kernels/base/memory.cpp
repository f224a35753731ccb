#include "kernels/base/memory.hpp"

#include <algorithm>
#include <bit>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

namespace moe {
namespace {

constexpr std::size_t kAlignment = 64;  // one cache line, one AVX-512 register

// Rounds up to the next of four steps per power of two, so that nearby sizes share blocks.
std::size_t size_class(std::size_t bytes) {
  const std::size_t least = std::max(bytes, kAlignment * 4);
  const std::size_t step = std::bit_floor(least) / 4;
  return (least + step - 1) / step * step;
}

class CachingAllocator final : public Allocator {
 public:
  ~CachingAllocator() override {
    for (auto& [bytes, blocks] : free_)
      for (void* block : blocks) ::operator delete (block, std::align_val_t{kAlignment});
  }

  void* allocate(std::size_t bytes) override {
    const std::size_t rounded = size_class(bytes);
    std::lock_guard lock(mutex_);
    live_ += rounded;
    peak_ = std::max(peak_, live_);
    std::vector<void*>& blocks = free_[rounded];
    if (blocks.empty()) return ::operator new (rounded, std::align_val_t{kAlignment});
    void* block = blocks.back();
    blocks.pop_back();
    return block;
  }

  void release(void* block, std::size_t bytes) noexcept override {
    const std::size_t rounded = size_class(bytes);
    std::lock_guard lock(mutex_);
    live_ -= rounded;
    free_[rounded].push_back(block);
  }

  std::size_t live_bytes() const override {
    std::lock_guard lock(mutex_);
    return live_;
  }
  std::size_t peak_bytes() const override {
    std::lock_guard lock(mutex_);
    return peak_;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::size_t, std::vector<void*>> free_;  // size class -> blocks
  std::size_t live_ = 0, peak_ = 0;
};

}  // namespace

std::shared_ptr<Allocator> make_caching_allocator() {
  return std::make_shared<CachingAllocator>();
}

}  // namespace moe
