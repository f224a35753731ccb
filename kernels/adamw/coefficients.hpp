// What is the same for every parameter, for all versions of AdamW. Private to this folder.
#pragma once

#include <cmath>

#include "kernels/adamw/adamw.hpp"
#include "kernels/base/host_device.hpp"

namespace moe {

// min(1, max_norm / norm). A norm that is not finite gives NaN, so that the step shows it: max_norm / inf
// would be 0, and the update would pass for a harmless one.
MOE_HOST_DEVICE double clip_factor(double squared_norm, double max_norm) {
  if (!(squared_norm < HUGE_VAL)) return NAN;
  const double factor = max_norm / (std::sqrt(squared_norm) + 1e-6);
  return factor < 1 ? factor : 1;
}

// Worked out once, in double. The clipping is not among them: its norm lies in device memory.
template <class T>
struct AdamWCoefficients {
  T keep_m, keep_v, take_m, take_v, shrink, rate, inverse_root, epsilon;

  explicit AdamWCoefficients(const AdamWSettings& s)
      : keep_m(static_cast<T>(s.beta1)),
        keep_v(static_cast<T>(s.beta2)),
        take_m(static_cast<T>(1 - s.beta1)),
        take_v(static_cast<T>(1 - s.beta2)),
        shrink(static_cast<T>(1 - s.learning_rate * s.weight_decay)),
        rate(static_cast<T>(s.learning_rate / (1 - std::pow(s.beta1, s.step)))),
        inverse_root(static_cast<T>(1 / std::sqrt(1 - std::pow(s.beta2, s.step)))),
        epsilon(static_cast<T>(s.epsilon)) {}
};

}  // namespace moe
