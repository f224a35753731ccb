// Fast threads write the next tile while slow ones still read this one.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void sum_of_tiles_kernel(float* y, const float* x, std::int64_t n) {
  __shared__ float tile[64];
  float sum = 0;
  for (std::int64_t begin = 0; begin + 64 <= n; begin += 64) {
    tile[threadIdx.x] = x[begin + threadIdx.x];  // here
    __syncthreads();
    for (int i = 0; i < 64; ++i) sum += tile[i];  // there
    if (!kBroken) __syncthreads();
  }
  y[threadIdx.x] = sum;
}

void missing_second_barrier(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? sum_of_tiles_kernel<true> : sum_of_tiles_kernel<false>, 1, 64, 0, o.y, o.x, o.n);
}

}  // namespace moe::MOE_BACKEND
