// Nothing orders the write to shared memory before the other thread's read.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void reverse_kernel(float* y, const float* x) {
  __shared__ float row[64];
  row[threadIdx.x] = x[threadIdx.x];  // there
  if (!kBroken) __syncthreads();
  y[threadIdx.x] = row[63 - threadIdx.x];  // here
}

void missing_barrier(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? reverse_kernel<true> : reverse_kernel<false>, 1, 64, 0, o.y, o.x);
}

}  // namespace moe::MOE_BACKEND
