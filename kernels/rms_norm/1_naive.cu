// A warp takes a row and reads it twice.
#include "kernels/base/warp.cuh"
#include "kernels/rms_norm/versions.hpp"

namespace moe::MOE_BACKEND {

__global__ void __launch_bounds__(kRowThreads)
    rms_norm_kernel(float* y, float* inverse_rms, const float* x, const float* w, std::int64_t N,
                    std::int64_t D, float epsilon) {
  const std::int64_t n = row_of_warp();
  if (n >= N) return;  // all lanes of the warp
  float squares = 0;
  for (std::int64_t d = lane_of_warp(); d < D; d += kWarp) squares += x[n * D + d] * x[n * D + d];
  // Not rsqrtf, which the device only approximates: once a row costs nothing.
  const float inverse = 1 / sqrtf(warp_sum(squares) / static_cast<float>(D) + epsilon);
  for (std::int64_t d = lane_of_warp(); d < D; d += kWarp) y[n * D + d] = w[d] * (x[n * D + d] * inverse);
  if (inverse_rms && lane_of_warp() == 0) inverse_rms[n] = inverse;
}

void rms_norm_naive(Context& ctx, float* y, float* inverse_rms, const float* x, const float* w,
                    std::int64_t N, std::int64_t D, double epsilon) {
  account(ctx, sizeof(float) * (2.0 * N * D + D + (inverse_rms ? N : 0)), 4.0 * N * D);
  if (N == 0) return;
  launch(ctx, rms_norm_kernel, blocks(N, kRowsPerBlock), kRowThreads, 0, y, inverse_rms, x, w, N, D,
         static_cast<float>(epsilon));
}

}  // namespace moe::MOE_BACKEND
