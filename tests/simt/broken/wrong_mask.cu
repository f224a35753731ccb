// All lanes of the warp call the shuffle, half of them are in its mask.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void warp_sum_kernel(float* y, const float* x) {
  float sum = x[threadIdx.x];
  const unsigned mask = kBroken ? 0x0000ffff : 0xffffffff;
  for (int distance = 16; distance > 0; distance /= 2) sum += __shfl_xor_sync(mask, sum, distance);  // here
  y[threadIdx.x] = sum;
}

void wrong_mask(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? warp_sum_kernel<true> : warp_sum_kernel<false>, 1, 32, 0, o.y, o.x);
}

}  // namespace moe::MOE_BACKEND
