// Exercise moe_backward: `moe try moe_backward` tells how far it is. The task: README.md; stuck: `moe hint moe_backward`.
#include "contract.hpp"

void moe_backward(double* dx, double* dw_router, double* dw_expert, const double* dy, const double* x,
                  const double* w_router, const double* w_expert, const std::int32_t* expert,
                  const double* gate, std::int64_t N, std::int64_t D, std::int64_t O, std::int64_t E,
                  std::int64_t K) {
  // Your code. The names below are used so that the compiler does not warn.
  (void)dx, (void)dw_router, (void)dw_expert, (void)dy, (void)x, (void)w_router, (void)w_expert;
  (void)expert, (void)gate, (void)N, (void)D, (void)O, (void)E, (void)K;
}
