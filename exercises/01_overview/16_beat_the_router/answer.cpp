// Exercise beat_the_router: `moe try beat_the_router` tells how far it is. The task: README.md; stuck: `moe hint beat_the_router`.
#include "contract.hpp"

void route(std::int32_t* expert, float* weight, const float* state, const float* logit, std::int64_t step,
           std::int64_t N, std::int64_t E, std::int64_t S, std::int64_t M) {
  // Your code. The names below are used so that the compiler does not warn.
  (void)expert, (void)weight, (void)state, (void)logit, (void)step, (void)N, (void)E, (void)S, (void)M;
}

void learn(float* grad_logit, float* state, const float* grad_weight, const std::int32_t* expert,
           const float* weight, const float* logit, std::int64_t step, std::int64_t N, std::int64_t E,
           std::int64_t S, std::int64_t M) {
  (void)grad_logit, (void)state, (void)grad_weight, (void)expert, (void)weight, (void)logit;
  (void)step, (void)N, (void)E, (void)S, (void)M;
}
