// Lanes without an element leave before the others read from them.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void ragged_sum_kernel(float* y, const float* x, std::int64_t n) {
  if (kBroken && threadIdx.x >= n) return;
  float sum = threadIdx.x < n ? x[threadIdx.x] : 0;
  for (int distance = 16; distance > 0; distance /= 2)
    sum += __shfl_xor_sync(0xffffffff, sum, distance);  // here
  if (threadIdx.x == 0) y[0] = sum;
}

void shuffle_after_return(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? ragged_sum_kernel<true> : ragged_sum_kernel<false>, 1, 32, 0, o.y, o.x,
         std::int64_t{20});
}

}  // namespace moe::MOE_BACKEND
