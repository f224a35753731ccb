// Kernels with one mistake each, and the same without it: what proves that the checked device finds mistakes and raises no
// alarm where there are none. The line of the mistake ends in the comment "// here"; where a second line belongs to it,
// as the other access of a race, that one ends in "// there".
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/base/context.hpp"

namespace moe {

// n elements each, but bins in count; y and count start undefined, keys are below bins.
struct Operands {
  float* y;
  const float* x;
  std::int32_t* count;
  const std::int32_t* key;
  std::int64_t n, bins;
};

using BrokenKernel = void(Context&, bool broken, const Operands&);

MOE_DEVICE_VERSION(BrokenKernel, missing_barrier)
MOE_DEVICE_VERSION(BrokenKernel, missing_second_barrier)
MOE_DEVICE_VERSION(BrokenKernel, missing_syncwarp)
MOE_DEVICE_VERSION(BrokenKernel, divergent_barrier)
MOE_DEVICE_VERSION(BrokenKernel, wrong_mask)
MOE_DEVICE_VERSION(BrokenKernel, shuffle_after_return)
MOE_DEVICE_VERSION(BrokenKernel, tile_edge)
MOE_DEVICE_VERSION(BrokenKernel, ragged_tail)
MOE_DEVICE_VERSION(BrokenKernel, past_shared)
MOE_DEVICE_VERSION(BrokenKernel, use_after_release)
MOE_DEVICE_VERSION(BrokenKernel, misaligned)
MOE_DEVICE_VERSION(BrokenKernel, missing_wait)
MOE_DEVICE_VERSION(BrokenKernel, copied_over)
MOE_DEVICE_VERSION(BrokenKernel, ragged_async_copy)
MOE_DEVICE_VERSION(BrokenKernel, racy_histogram)
MOE_DEVICE_VERSION(BrokenKernel, cross_block_race)
MOE_DEVICE_VERSION(BrokenKernel, two_writers)
MOE_DEVICE_VERSION(BrokenKernel, unstable_sort)
MOE_DEVICE_VERSION(BrokenKernel, uninitialised_shared)
MOE_DEVICE_VERSION(BrokenKernel, uninitialised_global)

}  // namespace moe
