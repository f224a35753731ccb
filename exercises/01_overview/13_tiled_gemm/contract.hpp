// A matrix product on the GPU, in tiles. README.md says what it must do.
#pragma once

#include <cstdint>

#include "kernels/base/launch.hpp"

namespace moe::MOE_BACKEND {

// Pointers are the device's memory: only kernels may touch it. M, N, K >= 0.
void tiled_gemm(Context& ctx,
                float* c,        // (M, N) out: c[m, n] = sum over k of a[m, k] * b[n, k]
                const float* a,  // (M, K)
                const float* b,  // (N, K)
                std::int64_t M, std::int64_t N, std::int64_t K);

}  // namespace moe::MOE_BACKEND
