// Exercise balance_loss: `moe try balance_loss` tells how far it is. The task: README.md; stuck: `moe hint balance_loss`.
#include "contract.hpp"

float balance_loss(const float* score, const std::int32_t* expert, const std::int32_t* kept, float alpha,
                   std::int64_t N, std::int64_t E, std::int64_t K) {
  // Your code. The names below are used so that the compiler does not warn.
  (void)score, (void)expert, (void)kept, (void)alpha, (void)N, (void)E, (void)K;
  return 0;
}

void balance_loss_gradient(float* dscore, const float* score, const std::int32_t* expert,
                           const std::int32_t* kept, float alpha, std::int64_t N, std::int64_t E,
                           std::int64_t K) {
  // Your code.
  (void)dscore, (void)score, (void)expert, (void)kept, (void)alpha, (void)N, (void)E, (void)K;
}
