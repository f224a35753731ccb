// fails: Coalesced BankConflicts Reuse
// Right, and every number comes from memory once a product.
#include "contract.hpp"

namespace moe::MOE_BACKEND {

constexpr int kTile = 16;

// x[row, column] of x (rows, columns), 0 beyond the edge: adds nothing to a sum.
__device__ float element(const float* x, std::int64_t row, std::int64_t column, std::int64_t rows,
                         std::int64_t columns) {
  return row < rows && column < columns ? x[row * columns + column] : 0;
}

__global__ void tiled_gemm_kernel(float* c, const float* a, const float* b, std::int64_t M, std::int64_t N,
                                  std::int64_t K) {
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  const std::int64_t n0 = std::int64_t{blockIdx.x} * kTile, m0 = std::int64_t{blockIdx.y} * kTile;
  float sum = 0;
  for (std::int64_t k = 0; k < K; ++k) sum += element(a, m0 + ty, k, M, K) * element(b, n0 + tx, k, N, K);
  if (m0 + ty < M && n0 + tx < N) c[(m0 + ty) * N + n0 + tx] = sum;
}

void tiled_gemm(Context& ctx, float* c, const float* a, const float* b, std::int64_t M, std::int64_t N,
                std::int64_t K) {
  if (M == 0 || N == 0) return;
  launch(ctx, tiled_gemm_kernel, dim3(blocks(N, kTile), blocks(M, kTile)), dim3(kTile, kTile), 0, c, a, b, M,
         N, K);
}

}  // namespace moe::MOE_BACKEND
