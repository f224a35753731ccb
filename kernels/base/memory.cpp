#include "kernels/base/memory.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "kernels/base/caching_allocator.hpp"
#include "kernels/base/cuda/runtime.hpp"

namespace moe {
namespace detail {
namespace {

constexpr std::size_t kAlignment = 64;  // one cache line, one AVX-512 register

// Rounds up to the next of four steps per power of two, so that nearby sizes share blocks.
std::size_t size_class(std::size_t bytes) {
  const std::size_t least = std::max(bytes, kAlignment * 4);
  const std::size_t step = std::bit_floor(least) / 4;
  return (least + step - 1) / step * step;
}

}  // namespace

void* CachingAllocator::allocate(std::size_t bytes) {
  const std::size_t rounded = size_class(bytes);
  std::lock_guard lock(mutex_);
  std::vector<void*>& blocks = free_[rounded];
  void* block = nullptr;
  if (blocks.empty()) {
    block = obtain_or_drop_cache(rounded);
  } else {
    block = blocks.back();
    blocks.pop_back();
  }
  live_ += rounded;
  peak_ = std::max(peak_, live_);
  handed_out(block, bytes);
  return block;
}

void CachingAllocator::release(void* block, std::size_t bytes) noexcept {
  const std::size_t rounded = size_class(bytes);
  std::lock_guard lock(mutex_);
  taken_back(block, bytes);
  live_ -= rounded;
  free_[rounded].push_back(block);
}

void* CachingAllocator::obtain_or_drop_cache(std::size_t bytes) {
  try {
    return obtain(bytes);
  } catch (const std::bad_alloc&) {
    drop_cache();
  }
  return obtain(bytes);
}

void CachingAllocator::drop_cache() noexcept {
  for (auto& [bytes, blocks] : free_) {
    for (void* block : blocks) give_back(block, bytes);
    blocks.clear();
  }
}

std::size_t CachingAllocator::live_bytes() const {
  std::lock_guard lock(mutex_);
  return live_;
}
std::size_t CachingAllocator::peak_bytes() const {
  std::lock_guard lock(mutex_);
  return peak_;
}

void* HostAllocator::obtain(std::size_t bytes) {
  return ::operator new (bytes, std::align_val_t{kAlignment});
}
void HostAllocator::give_back(void* block, std::size_t) noexcept {
  ::operator delete (block, std::align_val_t{kAlignment});
}

void HostAllocator::copy_to_device(void* device, const void* host, std::size_t bytes) {
  copy_on_device(device, host, bytes);
}
void HostAllocator::copy_to_host(void* host, const void* device, std::size_t bytes) {
  if (bytes > 0) std::memcpy(host, device, bytes);
}
void HostAllocator::copy_on_device(void* to, const void* from, std::size_t bytes) {
  if (bytes > 0) std::memcpy(to, from, bytes);
}
void HostAllocator::fill_bytes(void* block, unsigned char byte, std::size_t bytes) {
  if (bytes > 0) std::memset(block, byte, bytes);
}

}  // namespace detail

std::shared_ptr<Allocator> make_caching_allocator() {
  return std::make_shared<detail::HostAllocator>();
}

std::shared_ptr<Allocator> make_allocator(Device device, std::shared_ptr<Stream> stream) {
  switch (device.kind) {
    case DeviceKind::cpu:
      return make_caching_allocator();
    case DeviceKind::emulated:
    case DeviceKind::checked:
      return make_emulated_allocator();
    case DeviceKind::cuda:
      return cuda::make_allocator(device, std::move(stream));
  }
  return nullptr;
}

}  // namespace moe
