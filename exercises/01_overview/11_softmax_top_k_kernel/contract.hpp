// Softmax and top-k gate on the GPU. README.md says what they must do.
#pragma once

#include <cstdint>

#include "kernels/base/launch.hpp"

namespace moe::MOE_BACKEND {

// Pointers are the device's memory: only kernels may touch it.
void softmax_top_k(Context& ctx,
                   float* probability,    // (N, E) out: the softmax of every row
                   std::int32_t* expert,  // (N, K) out: the K chosen experts of every row
                   float* weight,         // (N, K) out: their probabilities, divided by their sum
                   const float* logit,    // (N, E)
                   std::int64_t N, std::int64_t E, std::int64_t K);

}  // namespace moe::MOE_BACKEND
