// Expert choice, and the test that shows its leak. README.md says what the two functions must do.
#pragma once

#include <cstdint>

void expert_choice(std::int32_t* token,  // (E, C) out: the tokens that each expert takes, its favourite first
                   float* weight,        // (E, C) out: their probabilities
                   const float* logit,   // (N, E) the router's scores
                   std::int64_t N, std::int64_t E, std::int64_t C);

// Any router, seen from outside: gate[n,e] is the weight of expert e for token n, 0 where token n does not go.
using Router = void(float* gate,         // (N, E) out
                    const float* logit,  // (N, E)
                    std::int64_t N, std::int64_t E);

// The prefix test: a token whose row of gate changes when only later tokens change, or -1 if there is none.
std::int64_t find_leak(Router* route, const float* logit, std::int64_t N, std::int64_t E);
