// Two blocks write the same element: the grid is one block too long and its index wraps.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

__global__ void wrapped_copy_kernel(float* y, const float* x, std::int64_t n) {
  const std::int64_t i = (std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x) % n;
  y[i] = x[i];  // here
}

void two_writers(Context& ctx, bool broken, const Operands& o) {
  const std::int64_t whole = o.n / 32 * 32;
  launch(ctx, wrapped_copy_kernel, blocks(whole, 32) + (broken ? 1 : 0), 32, 0, o.y, o.x, whole);
}

}  // namespace moe::MOE_BACKEND
