// In place, a block reads what its neighbour overwrites in the same launch.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

__global__ void load_kernel(float* y, const float* x, std::int64_t n) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i];
}

__global__ void add_next_kernel(float* y, const float* x, std::int64_t n) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const float next = i + 1 < n ? x[i + 1] : 0;  // there
  __syncthreads();
  if (i < n) y[i] = next;  // here
}

void cross_block_race(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, load_kernel, blocks(o.n, 32), 32, 0, o.y, o.x, o.n);
  launch(ctx, add_next_kernel, blocks(o.n, 32), 32, 0, o.y, broken ? o.y : o.x, o.n);
}

}  // namespace moe::MOE_BACKEND
