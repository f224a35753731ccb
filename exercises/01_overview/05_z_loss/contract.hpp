// The router z-loss and its gradient. README.md says what they must do.
#pragma once

#include <cstdint>

// coefficient · the mean over tokens of logsumexp²; 0 where N is 0.
float z_loss(const float* logit,  // (N, E)
             float coefficient, std::int64_t N, std::int64_t E);

// Adds the derivative of that by every logit to what dlogit holds.
void z_loss_gradient(float* dlogit,       // (N, E) in and out: gradients of other losses are in it
                     const float* logit,  // (N, E)
                     float coefficient, std::int64_t N, std::int64_t E);
