// The next slab is copied over the one that slow threads still read.
#include "kernels/base/mma.cuh"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void sum_of_slabs_kernel(float* y, const float* x, std::int64_t n) {
  __shared__ float slab[64];
  float sum = 0;
  for (std::int64_t begin = 0; begin + 64 <= n; begin += 64) {
    cp_async<4>(&slab[threadIdx.x], &x[begin + threadIdx.x]);  // here
    cp_async_commit_group();
    __syncthreads();  // as of other work, while the copy is under way
    cp_async_wait_group<0>();
    __syncthreads();
    for (int i = 0; i < 64; ++i) sum += slab[i];  // there
    if (!kBroken) __syncthreads();
  }
  y[threadIdx.x] = sum;
}

void copied_over(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? sum_of_slabs_kernel<true> : sum_of_slabs_kernel<false>, 1, 64, 0, o.y, o.x, o.n);
}

}  // namespace moe::MOE_BACKEND
