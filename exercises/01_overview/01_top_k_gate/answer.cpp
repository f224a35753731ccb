// Exercise top_k_gate: `moe try top_k_gate` tells how far it is. The task: README.md; stuck: `moe hint top_k_gate`.
#include "contract.hpp"

void top_k_gate(std::int32_t* expert, float* weight, const float* logit, std::int64_t N, std::int64_t E,
                std::int64_t K) {
  // Your code. The names below are used so that the compiler does not warn.
  (void)expert, (void)weight, (void)logit, (void)N, (void)E, (void)K;
}
