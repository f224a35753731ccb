// A block takes a 16×16 tile of C, a thread one element of it; tiles of A and B go through shared memory, so that each
// element is read from global memory once a tile, not once a thread: 16 times less than without.
#include "kernels/base/launch.hpp"
#include "kernels/gemm/versions.hpp"

namespace moe::MOE_BACKEND {
namespace {

constexpr int kTile = 16;

// op(X)[row, column], and 0 outside of op(X) (rows, columns): ragged edges add nothing.
__device__ float element(const float* x, std::int64_t ld, Transpose transpose, std::int64_t row,
                         std::int64_t column, std::int64_t rows, std::int64_t columns) {
  if (row >= rows || column >= columns) return 0;
  return transpose == Transpose::no ? x[row * ld + column] : x[column * ld + row];
}

}  // namespace

__global__ void __launch_bounds__(kTile* kTile)
    tiled_kernel(float* __restrict__ c, const float* __restrict__ a, const float* __restrict__ b, GemmShape s,
                 float alpha, float beta) {
  __shared__ float tile_a[kTile][kTile], tile_b[kTile][kTile];
  const int tm = static_cast<int>(threadIdx.y), tn = static_cast<int>(threadIdx.x);
  const std::int64_t m = std::int64_t{blockIdx.x} * kTile + tm, n = std::int64_t{blockIdx.y} * kTile + tn;
  float sum = 0;
  for (std::int64_t k = 0; k < s.K; k += kTile) {
    tile_a[tm][tn] = element(a, s.lda, s.a, m, k + tn, s.M, s.K);
    tile_b[tm][tn] = element(b, s.ldb, s.b, k + tm, n, s.K, s.N);
    __syncthreads();
    for (int i = 0; i < kTile; ++i) sum += tile_a[tm][i] * tile_b[i][tn];
    __syncthreads();  // nobody overwrites a tile that others still read
  }
  if (m >= s.M || n >= s.N) return;
  float* out = c + m * s.ldc + n;
  *out = alpha * sum + (beta == 0 ? 0 : beta * *out);
}

void gemm_tiled(Context& ctx, float* c, const float* a, const float* b, const GemmShape& s) {
  account(ctx, sizeof(float) * (1.0 * s.M * s.K + 1.0 * s.K * s.N + 1.0 * s.M * s.N), 2.0 * s.M * s.N * s.K);
  if (s.M == 0 || s.N == 0) return;
  launch(ctx, tiled_kernel, dim3(blocks(s.M, kTile), blocks(s.N, kTile)), dim3(kTile, kTile), 0, c, a, b, s,
         static_cast<float>(s.alpha), static_cast<float>(s.beta));
}

}  // namespace moe::MOE_BACKEND
