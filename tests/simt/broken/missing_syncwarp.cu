// Lanes of a warp do not run in step, and a shuffle orders no memory.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void swap_in_warp_kernel(float* y, const float* x) {
  __shared__ float row[64];
  const float mine = x[threadIdx.x];
  row[threadIdx.x] = mine;  // there
  if (!kBroken) __syncwarp();
  const float other = __shfl_xor_sync(0xffffffff, mine, 1);
  y[threadIdx.x] = row[threadIdx.x ^ 1] - other;  // here
}

void missing_syncwarp(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? swap_in_warp_kernel<true> : swap_in_warp_kernel<false>, 1, 64, 0, o.y, o.x);
}

}  // namespace moe::MOE_BACKEND
