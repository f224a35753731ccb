// The gate of a Mixture-of-Experts layer. README.md says what it must do.
#pragma once

#include <cstdint>

void top_k_gate(std::int32_t* expert,  // (N, K) out: the K chosen experts of every token
                float* weight,         // (N, K) out: their weights, which sum to 1 in every row
                const float* logit,    // (N, E) the router's scores
                std::int64_t N, std::int64_t E, std::int64_t K);
