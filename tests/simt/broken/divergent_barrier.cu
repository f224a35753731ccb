// A barrier in a branch that not all threads take.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void halves_kernel(float* y, const float* x) {
  __shared__ float row[64];
  row[threadIdx.x] = x[threadIdx.x];
  if (kBroken && threadIdx.x < 40) {
    __syncthreads();  // here
    y[threadIdx.x] = row[39 - threadIdx.x];
  } else {
    __syncthreads();  // there
    y[threadIdx.x] = row[63 - threadIdx.x];
  }
}

void divergent_barrier(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? halves_kernel<true> : halves_kernel<false>, 1, 64, 0, o.y, o.x);
}

}  // namespace moe::MOE_BACKEND
