// The load-balancing loss of a Mixture-of-Experts layer and its gradient. README.md says what they must do.
#pragma once

#include <cstdint>

// alpha · E · Σ_e f_e·P_e; 0 where N is 0.
float balance_loss(const float* score,          // (N, E) > 0, rows sum to anything
                   const std::int32_t* expert,  // (N, K) the router's choices
                   const std::int32_t* kept,    // (N, K) 1, or 0 where the expert was full: dropped
                   float alpha, std::int64_t N, std::int64_t E, std::int64_t K);

// Its derivative by every score. f is a constant of it.
void balance_loss_gradient(float* dscore,               // (N, E) out
                           const float* score,          // the same arguments as above
                           const std::int32_t* expert,  // (N, K)
                           const std::int32_t* kept,    // (N, K)
                           float alpha, std::int64_t N, std::int64_t E, std::int64_t K);
