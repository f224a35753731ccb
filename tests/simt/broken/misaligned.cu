// Four floats at once from an address that is no multiple of 16 bytes.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

template <bool kBroken>
__global__ void sum_of_four_kernel(float* y, const float* x) {
  const float4 four = *reinterpret_cast<const float4*>(x + (kBroken ? 1 : 4) * threadIdx.x);  // here
  y[threadIdx.x] = four.x + four.y + four.z + four.w;
}

void misaligned(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, broken ? sum_of_four_kernel<true> : sum_of_four_kernel<false>, 1, 32, 0, o.y, o.x);
}

}  // namespace moe::MOE_BACKEND
