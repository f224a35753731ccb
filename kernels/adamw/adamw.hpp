// AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) with clipping by global norm, in one pass over memory.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

struct AdamWSettings {
  double learning_rate;
  double beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8;
  double weight_decay = 0;
  double max_norm = 0;    // clip the global gradient norm to this; 0: no clipping
  std::int64_t step = 1;  // 1 for the first update (bias correction)
};

// value, m, v (n) are updated. squared_norm (1): Σ g² over all parameters, read on the device so that clipping needs
// no host synchronisation; null when max_norm is 0. Cost: 28 bytes an f32 parameter.
template <class T>
using AdamW = void(Context&, T* value, T* m, T* v, const T* gradient, const double* squared_norm,
                   const AdamWSettings& settings, std::int64_t n);

template <class T>
extern Operation<AdamW<T>> adamw;

}  // namespace moe
