// The gate between the two products, for one number, and what all device versions count as their work.
#pragma once

#include "kernels/base/launch.hpp"
#include "kernels/base/trace.hpp"
#include "kernels/grouped_ffn/grouped_ffn.hpp"

namespace moe::MOE_BACKEND {

__device__ inline float sigmoid(float x) {
  return 1 / (1 + expf(-x));
}
__device__ inline float swiglu(float h, float u) {
  return h * sigmoid(h) * u;
}

// From d(act): the gradients of h and u, and act itself, which the weight gradient needs once more.
struct SwigluGradient {
  float act, h, u;
};
__device__ inline SwigluGradient swiglu_backward(float dact, float h, float u) {
  const float sig = sigmoid(h), silu = h * sig;
  return {silu * u, dact * u * (sig + silu * (1 - sig)), dact * silu};
}

// The number of rows is known to the device alone; A bounds it.
inline void account_forward(Context& ctx, const FfnShape& s, bool keeps_hidden) {
  account(ctx, sizeof(float) * (3.0 * s.E * s.D * s.F + 1.0 * s.A * (2 * s.D + (keeps_hidden ? 2 * s.F : 0))),
          6.0 * s.A * s.D * s.F);
}
inline void account_backward(Context& ctx, const FfnShape& s) {
  account(ctx, sizeof(float) * (6.0 * s.E * s.D * s.F + 1.0 * s.A * (3 * s.D + 2 * s.F)),
          12.0 * s.A * s.D * s.F);
}

}  // namespace moe::MOE_BACKEND
