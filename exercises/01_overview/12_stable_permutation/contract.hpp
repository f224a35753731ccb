// Stable expert permutation on the GPU: histogram, scan, scatter. README.md says what they must do.
#pragma once

#include <cstdint>

#include "kernels/base/launch.hpp"

namespace moe::MOE_BACKEND {

// Pointers are the device's memory: only kernels may touch it. 1 <= E <= 256, A >= 0.
void count_experts(Context& ctx,
                   std::int32_t* count,         // (E) out: how often each expert occurs
                   const std::int32_t* expert,  // (A) in [0, E)
                   std::int64_t A, std::int64_t E);

void scan_counts(Context& ctx,
                 std::int32_t* offset,       // (E+1) out: expert e owns rows offset[e] .. offset[e+1]
                 const std::int32_t* count,  // (E)
                 std::int64_t E);

void scatter(Context& ctx,
             std::int32_t* source,        // (A) out: source[r] = the assignment that stands at row r
             std::int32_t* row,           // (A) out: row[a] = where assignment a stands
             const std::int32_t* expert,  // (A)
             const std::int32_t* offset,  // (E+1)
             std::int64_t A, std::int64_t E);

}  // namespace moe::MOE_BACKEND
