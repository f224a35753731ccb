// The weighted sum of every token's rows, on the GPU, in one kernel. README.md says what it must do.
#pragma once

#include <cstdint>

#include "kernels/base/launch.hpp"

namespace moe::MOE_BACKEND {

// Pointers are the device's memory: only kernels may touch it. N >= 0; K, D >= 1.
void fused_combine(
    Context& ctx,
    float* y,                 // (N, D) out: y[n] = sum over k of weight[n, k] * rows[row[n, k]]
    const float* rows,        // (A, D) outputs of the experts, grouped by expert
    const std::int32_t* row,  // (N, K) where the row of assignment k of token n stands; -1: dropped
    const float* weight,      // (N, K) of the gate; of a dropped assignment it may be anything
    std::int64_t N, std::int64_t K, std::int64_t D);

}  // namespace moe::MOE_BACKEND
