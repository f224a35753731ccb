// Products of rows with their experts' matrices, on the GPU, in one launch. README.md says what it must do.
#pragma once

#include <cstdint>

#include "kernels/base/launch.hpp"

namespace moe::MOE_BACKEND {

// Pointers are the device's memory: only kernels may touch it. E, D, F >= 1, A >= 0, offset[E] <= A.
void grouped_gemm(
    Context& ctx,
    float* y,        // (A, F) out: y[r, f] = sum over d of x[r, d] * w[e, f, d], e the expert of row r
    const float* x,  // (A, D) rows, grouped by expert
    const float* w,  // (E, F, D) one matrix an expert, an output a row
    const std::int32_t* offset,  // (E+1) expert e owns rows offset[e] .. offset[e+1]
    std::int64_t A, std::int64_t E, std::int64_t D, std::int64_t F);

}  // namespace moe::MOE_BACKEND
