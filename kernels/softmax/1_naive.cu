// A warp takes a row, its lanes every 32nd element; three passes over the row.
#include "kernels/base/warp.cuh"
#include "kernels/softmax/versions.hpp"

namespace moe::MOE_BACKEND {

// Each lane reads and writes its own elements only, so y may be x.
__global__ void __launch_bounds__(kRowThreads)
    softmax_kernel(float* y, float* logsumexp, const float* x, std::int64_t R, std::int64_t C) {
  const std::int64_t r = row_of_warp();
  if (r >= R) return;  // all lanes of the warp
  x += r * C;
  y += r * C;
  float top = -INFINITY, sum = 0;
  for (std::int64_t c = lane_of_warp(); c < C; c += kWarp) top = fmaxf(top, x[c]);
  top = warp_max(top);
  for (std::int64_t c = lane_of_warp(); c < C; c += kWarp) {
    y[c] = expf(x[c] - top);
    sum += y[c];
  }
  sum = warp_sum(sum);
  for (std::int64_t c = lane_of_warp(); c < C; c += kWarp) y[c] *= 1 / sum;
  if (logsumexp && lane_of_warp() == 0) logsumexp[r] = top + logf(sum);
}

__global__ void __launch_bounds__(kRowThreads)
    softmax_backward_kernel(float* dx, const float* dy, const float* y, std::int64_t R, std::int64_t C,
                            bool accumulate) {
  const std::int64_t r = row_of_warp();
  if (r >= R) return;
  float dot = 0;
  for (std::int64_t c = lane_of_warp(); c < C; c += kWarp) dot += dy[r * C + c] * y[r * C + c];
  dot = warp_sum(dot);
  for (std::int64_t i = r * C + lane_of_warp(); i < (r + 1) * C; i += kWarp) {
    const float change = y[i] * (dy[i] - dot);
    dx[i] = accumulate ? dx[i] + change : change;
  }
}

void softmax_naive(Context& ctx, float* y, float* logsumexp, const float* x, std::int64_t R, std::int64_t C) {
  account(ctx, sizeof(float) * (2.0 * R * C + (logsumexp ? R : 0)), 5.0 * R * C);
  if (R == 0) return;
  launch(ctx, softmax_kernel, blocks(R, kRowsPerBlock), kRowThreads, 0, y, logsumexp, x, R, C);
}

void softmax_backward_naive(Context& ctx, float* dx, const float* dy, const float* y, std::int64_t R,
                            std::int64_t C, bool accumulate) {
  account(ctx, sizeof(float) * (accumulate ? 4.0 : 3.0) * R * C, 4.0 * R * C);
  if (R == 0) return;
  launch(ctx, softmax_backward_kernel, blocks(R, kRowsPerBlock), kRowThreads, 0, dx, dy, y, R, C, accumulate);
}

}  // namespace moe::MOE_BACKEND
