// Nobody sets the accumulator in shared memory to zero.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void block_count_kernel(std::int32_t* count, const std::int32_t* key, std::int64_t bins,
                                   std::int64_t n) {
  __shared__ std::int32_t bin[64];
  if (!kBroken && threadIdx.x < bins) bin[threadIdx.x] = 0;
  __syncthreads();
  for (std::int64_t i = threadIdx.x; i < n; i += blockDim.x) atomicAdd(&bin[key[i]], 1);  // here
  __syncthreads();
  if (threadIdx.x < bins) count[threadIdx.x] = bin[threadIdx.x];
}

void uninitialised_shared(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? block_count_kernel<true> : block_count_kernel<false>, 1, 64, 0, o.count, o.key, o.bins,
         o.n);
}

}  // namespace moe::MOE_BACKEND
