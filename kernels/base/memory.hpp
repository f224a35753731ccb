// Memory of a device: blocks, copies, fills. Storage goes back to a caching allocator: touching 16 MiB of fresh pages
// costs about three times what writing to reused ones does, a cudaMalloc waits for the GPU, and a training step asks for
// the same sizes over and over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/base/device.hpp"

namespace moe {

class Stream;  // kernels/base/stream.hpp

// Hands out blocks aligned to 64 bytes (256 on a GPU) and moves bytes in and out of them. Thread-safe. Throws
// std::bad_alloc when there is no more. Everything happens in the order of the device's stream, also the reuse of a
// released block: work that was started before still finds it.
class Allocator {
 public:
  virtual ~Allocator() = default;
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* block, std::size_t bytes) noexcept = 0;  // `bytes` as it was asked for
  virtual std::size_t live_bytes() const = 0;                         // handed out now
  virtual std::size_t peak_bytes() const = 0;                         // most ever handed out at once

  virtual void copy_to_device(void* device, const void* host,
                              std::size_t bytes) = 0;                                // `host` is free at once
  virtual void copy_to_host(void* host, const void* device, std::size_t bytes) = 0;  // waits for the device
  virtual void copy_on_device(void* to, const void* from, std::size_t bytes) = 0;
  virtual void fill_bytes(void* block, unsigned char byte, std::size_t bytes) = 0;
  virtual void
  synchronize() = 0;  // returns when the stream's work is done; throws Error for what went wrong in it

  // Around work that may touch the blocks. For memory that is closed to the host at all other times.
  virtual void open() {}
  virtual void close() noexcept {}
};

// Keeps released blocks by size class (four per power of two: at most 25 % waste) until destruction. Host memory.
std::shared_ptr<Allocator> make_caching_allocator();

// The same for the emulated device. forbidden: a read or write by the host, outside of launches and copies, ends the
// process with a message: how tests prove without a GPU that the host leaves device memory alone. There new and released
// blocks also hold bytes 0xff (NaN, -1).
enum class HostAccess : bool { forbidden, allowed };
std::shared_ptr<Allocator> make_emulated_allocator(HostAccess host_access = HostAccess::allowed);

// The same for any device. `stream` orders a GPU's work; null elsewhere.
std::shared_ptr<Allocator> make_allocator(Device device, std::shared_ptr<Stream> stream = nullptr);

// The blocks are open while it lives: one around each launch, and around host code that stands in for a kernel.
class DeviceAccess {
 public:
  explicit DeviceAccess(Allocator& allocator) : allocator_(allocator) { allocator_.open(); }
  ~DeviceAccess() { allocator_.close(); }
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;

 private:
  Allocator& allocator_;
};

struct Context;

// Kernel scratch: n uninitialised elements until the end of the scope. O(1) after the first use of a size.
template <class T>
class Scratch {
 public:
  Scratch(Context& ctx, std::int64_t n);
  ~Scratch() { allocator_.release(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() { return data_; }
  T& operator[](std::int64_t i) { return data_[i]; }  // only where the memory is the host's

 private:
  Allocator& allocator_;
  std::size_t bytes_;
  T* data_;
};

}  // namespace moe
