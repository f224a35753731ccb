// Places are handed out in the order in which threads come: equal keys do not keep theirs.
#include "kernels/base/launch.hpp"
#include "tests/simt/broken/broken.hpp"

namespace moe::MOE_BACKEND {

__global__ void first_places_kernel(std::int32_t* next, const std::int32_t* key, std::int64_t n) {
  std::int32_t below = 0;
  for (std::int64_t i = 0; i < n; ++i) below += key[i] < static_cast<std::int32_t>(threadIdx.x);
  next[threadIdx.x] = below;
}

template <bool kBroken>
__global__ void place_kernel(float* y, std::int32_t* next, const std::int32_t* key, std::int64_t n) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= n) return;
  std::int32_t place = kBroken ? atomicAdd(&next[key[i]], 1) : next[key[i]];
  if (!kBroken)
    for (std::int64_t j = 0; j < i; ++j) place += key[j] == key[i];
  y[place] = static_cast<float>(i);
}

// y = the indices of keys in sorted order.
void unstable_sort(Context& ctx, bool broken, const Operands& o) {
  launch(ctx, first_places_kernel, 1, static_cast<unsigned>(o.bins), 0, o.count, o.key, o.n);
  launch(ctx, broken ? place_kernel<true> : place_kernel<false>, blocks(o.n, 32), 32, 0, o.y, o.count, o.key,
         o.n);
}

}  // namespace moe::MOE_BACKEND
