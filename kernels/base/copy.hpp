// Between host memory and the memory of a context's device: what the context's allocator does, by the context.
#pragma once

#include <cstddef>

#include "kernels/base/context.hpp"

namespace moe {

// In the order of the context's stream. `host` may be reused when the call returns.
inline void copy_to_device(Context& ctx, void* device, const void* host, std::size_t bytes) {
  ctx.allocator->copy_to_device(device, host, bytes);
}

// Waits for all work before it: for results, logs and files, never inside forward or backward.
inline void copy_to_host(Context& ctx, void* host, const void* device, std::size_t bytes) {
  ctx.allocator->copy_to_host(host, device, bytes);
}

// From device memory to device memory.
inline void copy_on_device(Context& ctx, void* to, const void* from, std::size_t bytes) {
  ctx.allocator->copy_on_device(to, from, bytes);
}

// Every byte becomes `byte`.
inline void fill_bytes(Context& ctx, void* device, unsigned char byte, std::size_t bytes) {
  ctx.allocator->fill_bytes(device, byte, bytes);
}

// Returns when all work of the context's stream is done; throws Error for what went wrong in it.
inline void synchronize(Context& ctx) {
  ctx.allocator->synchronize();
}

}  // namespace moe
