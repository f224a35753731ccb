// fails: SameBytes
// Every assignment adds itself to its token: the order is the one in which blocks run.
#include "contract.hpp"

namespace moe::MOE_BACKEND {

constexpr int kTokensPerBlock = 4;  // a warp takes a token

__global__ void clear_kernel(float* y, std::int64_t size) {
  const std::int64_t i = std::int64_t{blockIdx.x} * 128 + threadIdx.x;
  if (i < size) y[i] = 0;
}

__global__ void fused_combine_kernel(float* y, const float* rows, const std::int32_t* row,
                                     const float* weight, std::int64_t N, std::int64_t K, std::int64_t D) {
  const std::int64_t a = std::int64_t{blockIdx.x} * kTokensPerBlock + threadIdx.x / 32;
  const std::int64_t lane = threadIdx.x % 32;
  if (a >= N * K || row[a] < 0) return;
  for (std::int64_t d = lane; d < D; d += 32) atomicAdd(&y[a / K * D + d], weight[a] * rows[row[a] * D + d]);
}

void fused_combine(Context& ctx, float* y, const float* rows, const std::int32_t* row, const float* weight,
                   std::int64_t N, std::int64_t K, std::int64_t D) {
  if (N == 0) return;
  launch(ctx, clear_kernel, blocks(N * D, 128), 128, 0, y, N * D);
  launch(ctx, fused_combine_kernel, blocks(N * K, kTokensPerBlock), 32 * kTokensPerBlock, 0, y, rows, row,
         weight, N, K, D);
}

}  // namespace moe::MOE_BACKEND
