// Between host memory and the memory of a context's device. On the CPU and on the emulated device both are the same.
#pragma once

#include <cstddef>

#include "kernels/base/context.hpp"

namespace moe {

// In the order of the context's stream. `host` may be reused when the call returns.
void copy_to_device(Context& ctx, void* device, const void* host, std::size_t bytes);

// Waits for all work before it: for results, logs and files, never inside forward or backward.
void copy_to_host(Context& ctx, void* host, const void* device, std::size_t bytes);

// From device memory to device memory.
void copy_on_device(Context& ctx, void* to, const void* from, std::size_t bytes);

// Returns when all work of the context's stream is done; throws Error for what went wrong in it.
void synchronize(Context& ctx);

}  // namespace moe
