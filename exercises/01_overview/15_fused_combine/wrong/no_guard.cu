// fails: HandCase RaggedSizes
// Warps beyond N work, too, outside of the arrays.
#include "contract.hpp"

namespace moe::MOE_BACKEND {

constexpr int kTokensPerBlock = 4;  // a warp takes a token

__global__ void fused_combine_kernel(float* y, const float* rows, const std::int32_t* row,
                                     const float* weight, std::int64_t N, std::int64_t K, std::int64_t D) {
  const std::int64_t n = std::int64_t{blockIdx.x} * kTokensPerBlock + threadIdx.x / 32;
  const std::int64_t lane = threadIdx.x % 32;
  (void)N;
  for (std::int64_t d = lane; d < D; d += 32) {
    float sum = 0;
    for (std::int64_t k = 0; k < K; ++k) {
      const std::int64_t r = row[n * K + k];
      if (r >= 0) sum += weight[n * K + k] * rows[r * D + d];
    }
    y[n * D + d] = sum;
  }
}

void fused_combine(Context& ctx, float* y, const float* rows, const std::int32_t* row, const float* weight,
                   std::int64_t N, std::int64_t K, std::int64_t D) {
  if (N == 0) return;
  launch(ctx, fused_combine_kernel, blocks(N, kTokensPerBlock), 32 * kTokensPerBlock, 0, y, rows, row, weight,
         N, K, D);
}

}  // namespace moe::MOE_BACKEND
