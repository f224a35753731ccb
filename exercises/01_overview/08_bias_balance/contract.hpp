// Load balance by a bias instead of a loss. README.md says what these must do.
#pragma once

#include <cstdint>

// One forward pass over one micro-batch.
void route(std::int32_t* expert,  // (N, K) out: the K best of score + bias, best first
           float* weight,         // (N, K) out: of the chosen, from score alone; sum to 1 in every row
           std::int32_t* load,    // (E) in and out: assignments of this step so far
           const float* score,    // (N, E) sigmoids, > 0
           const float* bias,     // (E)
           bool recomputed,       // true: the backward pass runs a micro-batch again
           std::int64_t N, std::int64_t E, std::int64_t K);

// Once per optimizer step, after all its micro-batches.
void end_of_step(float* bias,         // (E) in and out
                 std::int32_t* load,  // (E) in: assignments of the step; out: 0, for the next one
                 float rate, std::int64_t E);
