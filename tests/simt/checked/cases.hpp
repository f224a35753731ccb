// Kernels on the border between right and wrong, for tests/simt/checked_test.cpp: `wrong` steps over it.
#pragma once

#include <span>

#include "kernels/base/backends.hpp"
#include "kernels/base/context.hpp"

namespace moe {

using BorderKernel = void(Context&, bool wrong, float* y, const float* x, std::int64_t n);

MOE_DEVICE_VERSION(BorderKernel, neighbouring_bytes)
MOE_DEVICE_VERSION(BorderKernel, neighbouring_halves)
MOE_DEVICE_VERSION(BorderKernel, half_warps)
MOE_DEVICE_VERSION(BorderKernel, shuffle_between)
MOE_DEVICE_VERSION(BorderKernel, atomic_then_plain)
MOE_DEVICE_VERSION(BorderKernel, many_barriers)
MOE_DEVICE_VERSION(BorderKernel, two_launches)
MOE_DEVICE_VERSION(BorderKernel, block_copy)
MOE_DEVICE_VERSION(BorderKernel, fixed_copy)
MOE_DEVICE_VERSION(BorderKernel, fixed_fill)
MOE_DEVICE_VERSION(BorderKernel, last_vector)
MOE_DEVICE_VERSION(BorderKernel, local_of_another)
MOE_DEVICE_VERSION(BorderKernel, shared_of_last_block)
MOE_DEVICE_VERSION(BorderKernel, constants)
MOE_DEVICE_VERSION(BorderKernel, half_written)

}  // namespace moe
