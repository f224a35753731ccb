// Exercise sinkhorn: `moe try sinkhorn` tells how far it is. The task: README.md; stuck: `moe hint sinkhorn`.
#include "contract.hpp"

void sinkhorn(float* balanced, const float* score, std::int64_t N, std::int64_t E, std::int64_t iterations) {
  // Your code. The names below are used so that the compiler does not warn.
  (void)balanced, (void)score, (void)N, (void)E, (void)iterations;
}

void sinkhorn_route(std::int32_t* expert, float* weight, const float* score, bool training, std::int64_t N,
                    std::int64_t E, std::int64_t iterations) {
  // Your code.
  (void)expert, (void)weight, (void)score, (void)training, (void)N, (void)E, (void)iterations;
}
