// Adds to an output that nobody set to zero.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void sum_columns_kernel(float* y, const float* x, std::int64_t rows) {
  if (!kBroken) y[threadIdx.x] = 0;
  for (std::int64_t r = 0; r < rows; ++r) y[threadIdx.x] += x[r * blockDim.x + threadIdx.x];  // here
}

void uninitialised_global(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? sum_columns_kernel<true> : sum_columns_kernel<false>, 1, 32, 0, o.y, o.x, o.n / 32);
}

}  // namespace moe::MOE_BACKEND
