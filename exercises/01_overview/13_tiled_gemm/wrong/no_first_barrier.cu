// fails: HandCase WholeTiles RaggedRows RaggedDepth AnyOrder Coalesced BankConflicts Reuse
// Multiplies before all threads have loaded.
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
  __shared__ float tile_a[kTile][kTile],
      tile_b[kTile][kTile + 1];  // + 1: a column lies in 16 banks, not in 2
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  const std::int64_t n0 = std::int64_t{blockIdx.x} * kTile, m0 = std::int64_t{blockIdx.y} * kTile;
  float sum = 0;
  for (std::int64_t k0 = 0; k0 < K; k0 += kTile) {
    tile_a[ty][tx] = element(a, m0 + ty, k0 + tx, M, K);
    tile_b[ty][tx] = element(b, n0 + ty, k0 + tx, N, K);
    for (int i = 0; i < kTile; ++i) sum += tile_a[ty][i] * tile_b[tx][i];
    __syncthreads();  // nobody needs them any more
  }
  if (m0 + ty < M && n0 + tx < N) c[(m0 + ty) * N + n0 + tx] = sum;
}

void tiled_gemm(Context& ctx, float* c, const float* a, const float* b, std::int64_t M, std::int64_t N,
                std::int64_t K) {
  if (M == 0 || N == 0) return;
  launch(ctx, tiled_gemm_kernel, dim3(blocks(N, kTile), blocks(M, kTile)), dim3(kTile, kTile), 0, c, a, b, M,
         N, K);
}

}  // namespace moe::MOE_BACKEND
