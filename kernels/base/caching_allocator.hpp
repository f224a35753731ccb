// What all allocators share: released blocks kept by size class, and the counts. Private to kernels/base.
#pragma once

#include <mutex>
#include <unordered_map>
#include <vector>

#include "kernels/base/memory.hpp"

namespace moe::detail {

class CachingAllocator : public Allocator {
 public:
  void* allocate(std::size_t bytes) final;
  void release(void* block, std::size_t bytes) noexcept final;
  std::size_t live_bytes() const final;
  std::size_t peak_bytes() const final;

 protected:
  // Memory of a size class from the device, and back to it. obtain throws std::bad_alloc; it is then asked once more,
  // after all cached blocks went back.
  virtual void* obtain(std::size_t bytes) = 0;
  virtual void give_back(void* block, std::size_t bytes) noexcept = 0;
  // A block changes hands; `bytes` as it was asked for.
  virtual void handed_out(void*, std::size_t) {}
  virtual void taken_back(void*, std::size_t) noexcept {}

  void drop_cache() noexcept;  // for destructors

 private:
  void* obtain_or_drop_cache(std::size_t bytes);

  mutable std::mutex mutex_;
  std::unordered_map<std::size_t, std::vector<void*>> free_;  // size class -> blocks
  std::size_t live_ = 0, peak_ = 0;
};

// Blocks that the host can read and write as well.
class HostAllocator : public CachingAllocator {
 public:
  ~HostAllocator() override { drop_cache(); }
  void copy_to_device(void* device, const void* host, std::size_t bytes) override;
  void copy_to_host(void* host, const void* device, std::size_t bytes) override;
  void copy_on_device(void* to, const void* from, std::size_t bytes) override;
  void fill_bytes(void* block, unsigned char byte, std::size_t bytes) override;
  void synchronize() override {}

 protected:
  void* obtain(std::size_t bytes) override;
  void give_back(void* block, std::size_t bytes) noexcept override;
};

}  // namespace moe::detail
