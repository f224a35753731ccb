// fails: WholeTiles RaggedExperts RaggedWidths Coalesced
// The next tile is loaded while others still read this one: seen where D has two tiles.
#include "contract.hpp"

namespace moe::MOE_BACKEND {

constexpr int kTile = 16;

struct RowTile {
  std::int64_t expert, begin, end;  // rows; end: of the expert
};

// The tile-th tile of all experts' tiles, one expert after the other; expert E: there is none.
__device__ RowTile find_tile(std::int64_t tile, const std::int32_t* offset, std::int64_t E) {
  for (std::int64_t e = 0; e < E; ++e) {
    const std::int64_t tiles = (offset[e + 1] - offset[e] + kTile - 1) / kTile;
    if (tile < tiles) return {e, offset[e] + tile * kTile, offset[e + 1]};
    tile -= tiles;
  }
  return {E, 0, 0};
}

__global__ void grouped_gemm_kernel(float* y, const float* x, const float* w, const std::int32_t* offset,
                                    std::int64_t E, std::int64_t D, std::int64_t F) {
  __shared__ float tile_x[kTile][kTile], tile_w[kTile][kTile + 1];
  const RowTile tile = find_tile(blockIdx.y, offset, E);
  if (tile.expert == E) return;  // the whole block
  const int tx = static_cast<int>(threadIdx.x), ty = static_cast<int>(threadIdx.y);
  const std::int64_t row = tile.begin + ty, f0 = std::int64_t{blockIdx.x} * kTile;
  const float* its_w = w + tile.expert * F * D;
  float sum = 0;
  for (std::int64_t d0 = 0; d0 < D; d0 += kTile) {
    const std::int64_t d = d0 + tx;
    tile_x[ty][tx] = row < tile.end && d < D ? x[row * D + d] : 0;
    tile_w[ty][tx] = f0 + ty < F && d < D ? its_w[(f0 + ty) * D + d] : 0;
    __syncthreads();
    for (int i = 0; i < kTile; ++i) sum += tile_x[ty][i] * tile_w[tx][i];
  }
  if (row < tile.end && f0 + tx < F) y[row * F + f0 + tx] = sum;
}

void grouped_gemm(Context& ctx, float* y, const float* x, const float* w, const std::int32_t* offset,
                  std::int64_t A, std::int64_t E, std::int64_t D, std::int64_t F) {
  if (A == 0) return;
  const unsigned row_tiles =
      static_cast<unsigned>(A / kTile + E);  // every expert: at most one that is not full
  launch(ctx, grouped_gemm_kernel, dim3(blocks(F, kTile), row_tiles), dim3(kTile, kTile), 0, y, x, w, offset,
         E, D, F);
}

}  // namespace moe::MOE_BACKEND
