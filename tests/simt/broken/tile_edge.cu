// Off by one at the edge of a tile: the row is right, the column belongs to the next row.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void shift_left_kernel(float* y, const float* x) {
  __shared__ float tile[8][8];
  const unsigned row = threadIdx.x / 8, column = threadIdx.x % 8;
  tile[row][column] = x[threadIdx.x];
  __syncthreads();
  const unsigned next = kBroken ? column + 1 : (column + 1) % 8;
  y[threadIdx.x] = tile[row][next];  // here
}

void tile_edge(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? shift_left_kernel<true> : shift_left_kernel<false>, 1, 64, 0, o.y, o.x);
}

}  // namespace moe::MOE_BACKEND
