// A warp takes a row and reads it twice. The gradient of the weights is a sum over rows, in a pass of its own that reads
// x and dy once more.
#include "kernels/base/columns.cuh"
#include "kernels/base/warp.cuh"
#include "kernels/rms_norm/versions.hpp"

namespace moe::MOE_BACKEND {

__global__ void __launch_bounds__(kRowThreads)
    rms_norm_kernel(float* y, float* inverse_rms, const float* x, const float* w, std::int64_t N,
                    std::int64_t D, std::int64_t ld, float epsilon) {
  const std::int64_t n = row_of_warp();
  if (n >= N) return;  // all lanes of the warp
  float squares = 0;
  for (std::int64_t d = lane_of_warp(); d < D; d += kWarp) squares += x[n * ld + d] * x[n * ld + d];
  // Not rsqrtf, which the device only approximates: once a row costs nothing.
  const float inverse = 1 / sqrtf(warp_sum(squares) / static_cast<float>(D) + epsilon);
  for (std::int64_t d = lane_of_warp(); d < D; d += kWarp) y[n * ld + d] = w[d] * (x[n * ld + d] * inverse);
  if (inverse_rms && lane_of_warp() == 0) inverse_rms[n] = inverse;
}

// With s = inverse rms: dx = s·(g - x·s²·mean(g·x)), g = w ⊙ dy.
__global__ void __launch_bounds__(kRowThreads)
    rms_norm_backward_kernel(float* __restrict__ dx, const float* __restrict__ dy,
                             const float* __restrict__ x, const float* __restrict__ w,
                             const float* __restrict__ inverse_rms, std::int64_t N, std::int64_t D,
                             std::int64_t ld) {
  const std::int64_t n = row_of_warp();
  if (n >= N) return;  // all lanes of the warp
  float sum = 0;
  for (std::int64_t d = lane_of_warp(); d < D; d += kWarp) sum += w[d] * dy[n * ld + d] * x[n * ld + d];
  const float inverse = inverse_rms[n];
  const float pull = warp_sum(sum) / static_cast<float>(D) * inverse * inverse;
  for (std::int64_t d = lane_of_warp(); d < D; d += kWarp)
    dx[n * ld + d] = inverse * (w[d] * dy[n * ld + d] - x[n * ld + d] * pull);
}

// A row's share of dw.
struct RmsNormWeightTerm {
  const float *dy, *x, *inverse_rms;
  std::int64_t ld;
  __device__ float operator()(std::int64_t n, std::int64_t d) const {
    return dy[n * ld + d] * (x[n * ld + d] * inverse_rms[n]);
  }
};

void rms_norm_naive(Context& ctx, float* y, float* inverse_rms, const float* x, const float* w,
                    std::int64_t N, std::int64_t D, std::int64_t ld, double epsilon) {
  account(ctx, sizeof(float) * (2.0 * N * D + D + (inverse_rms ? N : 0)), 4.0 * N * D);
  if (N == 0) return;
  launch(ctx, rms_norm_kernel, blocks(N, kRowsPerBlock), kRowThreads, 0, y, inverse_rms, x, w, N, D, ld,
         static_cast<float>(epsilon));
}

void rms_norm_backward_naive(Context& ctx, float* dx, float* dw, const float* dy, const float* x,
                             const float* w, const float* inverse_rms, std::int64_t N, std::int64_t D,
                             std::int64_t ld, bool accumulate_dw) {
  account(ctx, sizeof(float) * (3.0 * N * D + (accumulate_dw ? 3.0 : 2.0) * D + N), 9.0 * N * D);
  if (N > 0)
    launch(ctx, rms_norm_backward_kernel, blocks(N, kRowsPerBlock), kRowThreads, 0, dx, dy, x, w, inverse_rms,
           N, D, ld);
  sum_columns(ctx, dw, RmsNormWeightTerm{dy, x, inverse_rms, ld}, N, D, accumulate_dw);
}

}  // namespace moe::MOE_BACKEND
