// Kernels whose traffic is worked out by hand, for tests/simt/traffic_test.cpp. Lines end in the name that the test
// knows them by. One warp where nothing else is said.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/base/context.hpp"

namespace moe {

struct StridedCase {
  int stride, shift, threads, blocks;
};
using StridedKernel = void(Context&, float* y, const float* x, StridedCase);
MOE_DEVICE_VERSION(StridedKernel, strided_copy)

// `variant` as the kernel has it.
using TrafficKernel = void(Context&, float* y, const float* x, int variant);
MOE_DEVICE_VERSION(TrafficKernel, vector4_copy)
MOE_DEVICE_VERSION(TrafficKernel, vector2_copy)
MOE_DEVICE_VERSION(TrafficKernel, array_of_structs)
MOE_DEVICE_VERSION(TrafficKernel, struct_of_arrays)
MOE_DEVICE_VERSION(TrafficKernel, row_walk)     // 0: every lane walks a row; 1: the warp does
MOE_DEVICE_VERSION(TrafficKernel, ragged_walk)  // lane i takes i steps
MOE_DEVICE_VERSION(TrafficKernel, branches)
MOE_DEVICE_VERSION(TrafficKernel, late_lanes)  // 1: they wait for each other
MOE_DEVICE_VERSION(TrafficKernel, by_helper)
MOE_DEVICE_VERSION(TrafficKernel, transposition)   // 1: with padding; 1024 threads
MOE_DEVICE_VERSION(TrafficKernel, shared_strided)  // a stride of `variant`; 0: one word for all
MOE_DEVICE_VERSION(TrafficKernel, shared_vectors)  // float4, a stride of `variant`
MOE_DEVICE_VERSION(TrafficKernel, shared_halves)
MOE_DEVICE_VERSION(TrafficKernel, shared_atomics)  // of `variant` different words
MOE_DEVICE_VERSION(TrafficKernel, global_atomics)  // of `variant` different words
MOE_DEVICE_VERSION(TrafficKernel, matrix_rows)     // `variant` bytes apart
MOE_DEVICE_VERSION(TrafficKernel, asynchronous_copy)
MOE_DEVICE_VERSION(TrafficKernel, racing)  // goes wrong after it touched memory

using GatherKernel = void(Context&, float* y, const float* x, const std::int32_t* index);
MOE_DEVICE_VERSION(GatherKernel, gather)

}  // namespace moe
