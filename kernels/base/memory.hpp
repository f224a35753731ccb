// Memory. Storage goes back to a caching allocator: touching 16 MiB of fresh pages costs about three times
// what writing to reused ones does, and a training step asks for the same sizes over and over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace moe {

// Hands out 64-byte aligned blocks. Thread-safe. Throws std::bad_alloc when the system has no more.
class Allocator {
 public:
  virtual ~Allocator() = default;
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* block, std::size_t bytes) noexcept = 0;  // `bytes` as it was asked for
  virtual std::size_t live_bytes() const = 0;                         // handed out now
  virtual std::size_t peak_bytes() const = 0;                         // most ever handed out at once
};

// Keeps released blocks by size class (four per power of two: at most 25 % waste) until destruction.
std::shared_ptr<Allocator> make_caching_allocator();

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
  T& operator[](std::int64_t i) { return data_[i]; }

 private:
  Allocator& allocator_;
  std::size_t bytes_;
  T* data_;
};

}  // namespace moe
