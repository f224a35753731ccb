// The memory went back before the kernel that uses it began.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

__global__ void double_kernel(float* y, const float* x, std::int64_t n) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < n) y[i] = 2 * x[i];  // here
}

void use_after_release(Context& ctx, bool broken, const Operands& o) {
  float* intermediate = nullptr;
  {
    Scratch<float> scratch(ctx, o.n);
    intermediate = scratch.data();
    launch(ctx, double_kernel, blocks(o.n, 32), 32, 0, intermediate, o.x, o.n);
    if (!broken) launch(ctx, double_kernel, blocks(o.n, 32), 32, 0, o.y, intermediate, o.n);
  }
  if (broken) launch(ctx, double_kernel, blocks(o.n, 32), 32, 0, o.y, intermediate, o.n);
}

}  // namespace moe::MOE_BACKEND
