// A thread takes a row: rows are narrow (half as wide as there are experts), and the arithmetic is the CPU's. The gradient of
// the temperature is one sum, by one block in a fixed order.
#include "kernels/base/elements.cuh"
#include "kernels/base/sums.cuh"
#include "kernels/base/warp.cuh"
#include "kernels/unit_rows/row.hpp"
#include "kernels/unit_rows/versions.hpp"

namespace moe::MOE_BACKEND {
namespace {

constexpr int kThreads = 128;

}  // namespace

__global__ void __launch_bounds__(kThreads)
    unit_rows_kernel(float* y, float* r, const float* x, std::int64_t R, std::int64_t C) {
  const std::int64_t i = global_thread();
  if (i < R) detail::unit_row(y + i * C, r + i, x + i * C, C);
}

__global__ void __launch_bounds__(kThreads)
    unit_rows_backward_kernel(float* dx, const float* dy, const float* y, const float* r, std::int64_t R,
                              std::int64_t C) {
  const std::int64_t i = global_thread();
  if (i < R) detail::unit_row_backward(dx + i * C, dy + i * C, y + i * C, r[i], C);
}

__global__ void __launch_bounds__(kElementThreads)
    tempered_kernel(float* y, const float* x, const float* t, std::int64_t n) {
  const float factor = detail::inverse_temperature(*t);
  each_element(n, [=](std::int64_t i) { y[i] = factor * x[i]; });
}

// One block.
__global__ void __launch_bounds__(kSumThreads)
    temperature_gradient_kernel(float* dt, const float* dy, const float* y, const float* t, std::int64_t n) {
  const double sum = block_sum_of(
      0, n, [=](std::int64_t i) { return static_cast<double>(dy[i]) * static_cast<double>(y[i]); });
  if (threadIdx.x == 0) *dt = *t > float(detail::kMostLogTemperature) ? 0.f : static_cast<float>(sum);
}

void unit_rows_naive(Context& ctx, float* y, float* r, const float* x, std::int64_t R, std::int64_t C) {
  account(ctx, 4.0 * R * (2.0 * C + 1), 3.0 * R * C);
  if (R > 0) launch(ctx, unit_rows_kernel, blocks(R, kThreads), kThreads, 0, y, r, x, R, C);
}

void unit_rows_backward_naive(Context& ctx, float* dx, const float* dy, const float* y, const float* r,
                              std::int64_t R, std::int64_t C) {
  account(ctx, 4.0 * R * (3.0 * C + 1), 5.0 * R * C);
  if (R > 0) launch(ctx, unit_rows_backward_kernel, blocks(R, kThreads), kThreads, 0, dx, dy, y, r, R, C);
}

void tempered_naive(Context& ctx, float* y, const float* x, const float* t, std::int64_t n) {
  account(ctx, 8.0 * n, 1.0 * n);
  if (n > 0) launch(ctx, tempered_kernel, element_blocks(n), kElementThreads, 0, y, x, t, n);
}

void tempered_backward_naive(Context& ctx, float* dx, float* dt, const float* dy, const float* y,
                             const float* t, std::int64_t n) {
  account(ctx, 12.0 * n, 3.0 * n);
  launch(ctx, temperature_gradient_kernel, 1, kSumThreads, 0, dt, dy, y, t, n);
  if (n > 0) launch(ctx, tempered_kernel, element_blocks(n), kElementThreads, 0, dx, dy, t, n);
}

}  // namespace moe::MOE_BACKEND
