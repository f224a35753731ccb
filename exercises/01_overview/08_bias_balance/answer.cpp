// Exercise bias_balance: `moe try bias_balance` tells how far it is. The task: README.md; stuck: `moe hint bias_balance`.
#include "contract.hpp"

void route(std::int32_t* expert, float* weight, std::int32_t* load, const float* score, const float* bias,
           bool recomputed, std::int64_t N, std::int64_t E, std::int64_t K) {
  // Your code. The names below are used so that the compiler does not warn.
  (void)expert, (void)weight, (void)load, (void)score, (void)bias, (void)recomputed, (void)N, (void)E,
      (void)K;
}

void end_of_step(float* bias, std::int32_t* load, float rate, std::int64_t E) {
  // Your code.
  (void)bias, (void)load, (void)rate, (void)E;
}
