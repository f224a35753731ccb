// Exercise expert_choice: `moe try expert_choice` tells how far it is. The task: README.md; stuck: `moe hint expert_choice`.
#include "contract.hpp"

void expert_choice(std::int32_t* token, float* weight, const float* logit, std::int64_t N, std::int64_t E,
                   std::int64_t C) {
  // Your code. The names below are used so that the compiler does not warn.
  (void)token, (void)weight, (void)logit, (void)N, (void)E, (void)C;
}

std::int64_t find_leak(Router* route, const float* logit, std::int64_t N, std::int64_t E) {
  // Your code.
  (void)route, (void)logit, (void)N, (void)E;
  return -2;
}
