// The launch asks for one element less than the kernel uses.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

__global__ void rotate_kernel(float* y, const float* x) {
  MOE_DYNAMIC_SHARED(float, row);
  const unsigned i = threadIdx.x, n = blockDim.x;
  row[i] = x[i];  // here
  __syncthreads();
  y[i] = row[(i + 1) % n];
}

void past_shared(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, rotate_kernel, 1, 64, (broken ? 63 : 64) * sizeof(float), o.y, o.x);
}

}  // namespace moe::MOE_BACKEND
