// From the experts' rows back to tokens. README.md says what the function must do.
#pragma once

#include <cstdint>

void combine(float* y,                 // (N, D) out: every token's weighted sum
             const float* rows,        // (A, D) what the experts made, grouped by expert
             const float* weight,      // (N, K) the gate's weights
             const std::int32_t* row,  // (N, K) where each assignment's row stands, -1: dropped
             std::int64_t N, std::int64_t K, std::int64_t A, std::int64_t D);
