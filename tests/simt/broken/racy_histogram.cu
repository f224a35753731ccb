// Counting without atomics loses counts.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

__global__ void zero_kernel(std::int32_t* count) {
  count[threadIdx.x] = 0;
}

template <bool kBroken>
__global__ void count_kernel(std::int32_t* count, const std::int32_t* key, std::int64_t n) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= n) return;
  if (kBroken)
    ++count[key[i]];  // here
  else
    atomicAdd(&count[key[i]], 1);
}

void racy_histogram(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, zero_kernel, 1, static_cast<unsigned>(o.bins), 0, o.count);
  launch(ctx, broken ? count_kernel<true> : count_kernel<false>, blocks(o.n, 32), 32, 0, o.count, o.key, o.n);
}

}  // namespace moe::MOE_BACKEND
