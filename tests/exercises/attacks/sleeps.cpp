// Of the exercise beat_the_router: waits in every call, each time for less than a call may take.
#include <time.h>

#include "contract.hpp"

void route(std::int32_t* expert, float* weight, const float*, const float*, std::int64_t, std::int64_t N,
           std::int64_t, std::int64_t S, std::int64_t) {
  const timespec fifty_ms{0, 50'000'000};
  nanosleep(&fifty_ms, nullptr);
  for (std::int64_t i = 0; i < N * S; ++i) expert[i] = -1, weight[i] = 0;
}

void learn(float* grad_logit, float*, const float*, const std::int32_t*, const float*, const float*,
           std::int64_t, std::int64_t N, std::int64_t E, std::int64_t, std::int64_t) {
  for (std::int64_t i = 0; i < N * E; ++i) grad_logit[i] = 0;
}
