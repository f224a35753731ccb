// Exercise combine: `moe try combine` tells how far it is. The task: README.md; stuck: `moe hint combine`.
#include "contract.hpp"

void combine(float* y, const float* rows, const float* weight, const std::int32_t* row, std::int64_t N,
             std::int64_t K, std::int64_t /*A*/, std::int64_t D) {
  // Your code. The names below are used so that the compiler does not warn.
  (void)y, (void)rows, (void)weight, (void)row, (void)N, (void)K, (void)D;
}
