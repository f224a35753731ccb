// A thread takes eight parameters, one at a time: 28 bytes each, and nothing read twice.
#include "kernels/adamw/coefficients.hpp"
#include "kernels/adamw/versions.hpp"
#include "kernels/base/elements.cuh"

namespace moe::MOE_BACKEND {

// squared_norm: null where there is no clipping. One thread a block works the factor out: a double root and a division
// cost a consumer GPU more than the update of an element.
__global__ void __launch_bounds__(kElementThreads)
    adamw_kernel(float* __restrict__ value, float* __restrict__ m, float* __restrict__ v,
                 const float* __restrict__ gradient, const double* squared_norm, double max_norm,
                 AdamWCoefficients<float> k, std::int64_t n) {
  __shared__ float clip;
  if (threadIdx.x == 0) clip = squared_norm ? static_cast<float>(clip_factor(*squared_norm, max_norm)) : 1.f;
  __syncthreads();
  const float factor = clip;
  each_element(n, [=](std::int64_t i) {
    const float g = factor * gradient[i];
    m[i] = k.keep_m * m[i] + k.take_m * g;
    v[i] = k.keep_v * v[i] + k.take_v * g * g;
    value[i] = k.shrink * value[i] - k.rate * m[i] / (sqrtf(v[i]) * k.inverse_root + k.epsilon);
  });
}

void adamw_naive(Context& ctx, float* value, float* m, float* v, const float* gradient,
                 const double* squared_norm, const AdamWSettings& settings, std::int64_t n) {
  MOE_CHECK(settings.step >= 1, "step ", settings.step);
  MOE_CHECK(settings.max_norm == 0 || squared_norm, "clipping needs the norm");
  account(ctx, 7.0 * sizeof(float) * n, 15.0 * n);
  if (n == 0) return;
  const double* norm = settings.max_norm == 0 ? nullptr : squared_norm;
  launch(ctx, adamw_kernel, element_blocks(n), kElementThreads, 0, value, m, v, gradient, norm,
         settings.max_norm, AdamWCoefficients<float>(settings), n);
}

}  // namespace moe::MOE_BACKEND
