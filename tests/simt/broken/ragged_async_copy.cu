// The last tile's asynchronous copy takes more from global memory than is there.
#include "kernels/base/mma.cuh"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void tile_copy_kernel(float* y, const float* x, std::int64_t n) {
  MOE_DYNAMIC_SHARED(float, tile);
  const std::int64_t i = 4 * (std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x), left = i < n ? n - i : 0;
  const int valid = kBroken || left > 4 ? 16 : static_cast<int>(left * 4);
  cp_async<16>(&tile[4 * threadIdx.x], valid > 0 ? x + i : x, valid);  // here
  cp_async_commit_group();
  cp_async_wait_group<0>();
  for (std::int64_t k = 0; k < 4 && k < left; ++k) y[i + k] = tile[4 * threadIdx.x + k];
}

void ragged_async_copy(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? tile_copy_kernel<true> : tile_copy_kernel<false>, blocks(o.n, 128), 32,
         128 * sizeof(float), o.y, o.x, o.n);
}

}  // namespace moe::MOE_BACKEND
