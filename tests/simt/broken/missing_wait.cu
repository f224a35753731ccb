// An asynchronous copy is read behind a barrier, but nobody waited for the copy.
#include "kernels/base/mma.cuh"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void reverse_async_kernel(float* y, const float* x) {
  __shared__ float row[64];
  cp_async<4>(&row[threadIdx.x], &x[threadIdx.x]);
  cp_async_commit_group();
  if (!kBroken) cp_async_wait_group<0>();
  __syncthreads();
  y[threadIdx.x] = row[63 - threadIdx.x];  // here
}

void missing_wait(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? reverse_async_kernel<true> : reverse_async_kernel<false>, 1, 64, 0, o.y, o.x);
}

}  // namespace moe::MOE_BACKEND
