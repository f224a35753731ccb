// From the router's choices to rows grouped by expert. README.md says what the two functions must do.
#pragma once

#include <cstdint>

// The capacity C: the most assignments that an expert takes.
std::int64_t expert_capacity(std::int64_t N, std::int64_t E, std::int64_t K, double factor);

void dispatch_plan(std::int32_t* offset,        // (E+1) out: expert e owns the rows offset[e] .. offset[e+1]
                   std::int32_t* token,         // (N*K) out: the token of every row, -1 where no row is
                   std::int32_t* row,           // (N, K) out: the row of every assignment, -1 where dropped
                   const std::int32_t* expert,  // (N, K) the router's choices, -1: none
                   std::int64_t N, std::int64_t E, std::int64_t K, std::int64_t C);
