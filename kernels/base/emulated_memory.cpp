// Memory of the emulated device: the host's, told to the checked mode, and on demand closed to the host.
#include "kernels/base/caching_allocator.hpp"
#include "kernels/base/closed_memory.hpp"
#include "kernels/simt/device_memory.hpp"

namespace moe {
namespace {

class EmulatedAllocator : public detail::HostAllocator {
 public:
  void copy_to_device(void* device, const void* host, std::size_t bytes) override {
    const DeviceAccess access(*this);
    HostAllocator::copy_to_device(device, host, bytes);
    simt::memory_written(device, bytes);
  }
  void copy_to_host(void* host, const void* device, std::size_t bytes) override {
    const DeviceAccess access(*this);
    HostAllocator::copy_to_host(host, device, bytes);
  }
  void copy_on_device(void* to, const void* from, std::size_t bytes) override {
    const DeviceAccess access(*this);
    HostAllocator::copy_on_device(to, from, bytes);
    simt::memory_written(to, bytes);
  }
  void fill_bytes(void* block, unsigned char byte, std::size_t bytes) override {
    const DeviceAccess access(*this);
    HostAllocator::fill_bytes(block, byte, bytes);
    simt::memory_written(block, bytes);
  }

 protected:
  void handed_out(void* block, std::size_t bytes) override { simt::memory_allocated(block, bytes); }
  void taken_back(void* block, std::size_t) noexcept override { simt::memory_released(block); }
};

class ClosedEmulatedAllocator final : public EmulatedAllocator {
 public:
  ~ClosedEmulatedAllocator() override { drop_cache(); }
  void open() override { memory_.open(); }
  void close() noexcept override { memory_.close(); }

 protected:
  void* obtain(std::size_t bytes) override { return memory_.take(bytes); }
  void give_back(void*, std::size_t) noexcept override {}  // goes with all of memory_
  void handed_out(void* block, std::size_t bytes) override {
    poison(block, bytes);
    EmulatedAllocator::handed_out(block, bytes);
  }
  void taken_back(void* block, std::size_t bytes) noexcept override {
    EmulatedAllocator::taken_back(block, bytes);
    poison(block, bytes);
  }

 private:
  void poison(void* block, std::size_t bytes) {
    const DeviceAccess access(*this);
    HostAllocator::fill_bytes(block, 0xff, bytes);
  }

  detail::ClosedMemory memory_{std::size_t{8} << 30};
};

}  // namespace

std::shared_ptr<Allocator> make_emulated_allocator(HostAccess host_access) {
  if (host_access == HostAccess::allowed) return std::make_shared<EmulatedAllocator>();
  return std::make_shared<ClosedEmulatedAllocator>();
}

}  // namespace moe
