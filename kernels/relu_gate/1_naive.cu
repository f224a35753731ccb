// Elements go a thread each; what is one number a router goes to one thread: E counts are soon added.
#include "kernels/base/elements.cuh"
#include "kernels/relu_gate/row.hpp"
#include "kernels/relu_gate/versions.hpp"

namespace moe::MOE_BACKEND {

__global__ void __launch_bounds__(kElementThreads)
    relu_choice_kernel(std::int32_t* expert, float* weight, const float* x, std::int64_t N, std::int64_t E) {
  each_element(N * E, [=](std::int64_t i) { detail::relu_element(expert, weight, x, i, E); });
}

__global__ void __launch_bounds__(kElementThreads)
    relu_choice_backward_kernel(float* dx, const float* dweight, const std::int32_t* expert, std::int64_t n) {
  each_element(n, [=](std::int64_t i) { dx[i] = expert[i] < 0 ? 0.f : dweight[i]; });
}

__global__ void load_factor_kernel(float* factor, const float* coefficient, const std::int32_t* count,
                                   double wanted, std::int64_t E) {
  *factor = detail::factor_of_load(*coefficient, count, wanted, E);
}

__global__ void adapt_kernel(float* coefficient, const std::int32_t* count, double wanted, double step,
                             std::int64_t E) {
  *coefficient = detail::adapted(*coefficient, count, wanted, step, E);
}

void relu_choice_naive(Context& ctx, std::int32_t* expert, float* weight, const float* x, std::int64_t N,
                       std::int64_t E) {
  account(ctx, 12.0 * N * E);
  if (N * E > 0)
    launch(ctx, relu_choice_kernel, element_blocks(N * E), kElementThreads, 0, expert, weight, x, N, E);
}

void relu_choice_backward_naive(Context& ctx, float* dx, const float* dweight, const std::int32_t* expert,
                                std::int64_t n) {
  account(ctx, 12.0 * n);
  if (n > 0)
    launch(ctx, relu_choice_backward_kernel, element_blocks(n), kElementThreads, 0, dx, dweight, expert, n);
}

void load_factor_naive(Context& ctx, float* factor, const float* coefficient, const std::int32_t* count,
                       double wanted, std::int64_t E) {
  account(ctx, 4.0 * E);
  launch(ctx, load_factor_kernel, 1, 1, 0, factor, coefficient, count, wanted, E);
}

void adapt_coefficient_naive(Context& ctx, float* coefficient, const std::int32_t* count, double wanted,
                             double step, std::int64_t E) {
  account(ctx, 4.0 * E);
  launch(ctx, adapt_kernel, 1, 1, 0, coefficient, count, wanted, step, E);
}

}  // namespace moe::MOE_BACKEND
