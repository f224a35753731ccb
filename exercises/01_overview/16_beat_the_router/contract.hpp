// A router of your own, inside a small Mixture of Experts. README.md says what it must do.
#pragma once

#include <cstdint>

// Which experts each token visits. Called in training and at inference.
void route(std::int32_t* expert,  // (N, S) out: different experts of every token; -1 is a slot left empty
           float* weight,  // (N, S) out: what each expert's output is multiplied with; any number where empty
           const float* state,  // (M) your own numbers, as `learn` left them; 0 before the first step
           const float* logit,  // (N, E) the token times the router's matrix, which the model trains
           std::int64_t step,   // 1, 2, ... in training; 0 at inference
           std::int64_t N, std::int64_t E, std::int64_t S, std::int64_t M);

// The gradient of the logits, and what changes in your numbers. Called once after every `route` in training.
void learn(float* grad_logit,           // (N, E) out
           float* state,                // (M) in and out
           const float* grad_weight,    // (N, S) of the mean loss of the batch; 0 where the slot is empty
           const std::int32_t* expert,  // (N, S) as `route` left them
           const float* weight,         // (N, S) as `route` left them; 0 where the slot is empty
           const float* logit,          // (N, E)
           std::int64_t step, std::int64_t N, std::int64_t E, std::int64_t S, std::int64_t M);
