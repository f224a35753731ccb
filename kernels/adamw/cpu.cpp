#include "kernels/adamw/adamw.hpp"

#include <cmath>
#include <limits>

#include "kernels/base/parallel.hpp"

namespace moe {
namespace {

// min(1, max_norm / norm). A norm that is not finite gives NaN, so that the step shows it: max_norm / inf
// would be 0, and the update would pass for a harmless one.
double clip_factor(const double* squared_norm, double max_norm) {
  if (max_norm == 0) return 1;
  if (!std::isfinite(*squared_norm)) return std::numeric_limits<double>::quiet_NaN();
  const double factor = max_norm / (std::sqrt(*squared_norm) + 1e-6);
  return factor < 1 ? factor : 1;
}

// What is the same for every parameter, worked out once in double.
template <class T>
struct Coefficients {
  T clip, keep_m, keep_v, take_m, take_v, shrink, rate, inverse_root, epsilon;

  Coefficients(const AdamWSettings& s, double clip_by)
      : clip(static_cast<T>(clip_by)),
        keep_m(static_cast<T>(s.beta1)),
        keep_v(static_cast<T>(s.beta2)),
        take_m(static_cast<T>(1 - s.beta1)),
        take_v(static_cast<T>(1 - s.beta2)),
        shrink(static_cast<T>(1 - s.learning_rate * s.weight_decay)),
        rate(static_cast<T>(s.learning_rate / (1 - std::pow(s.beta1, s.step)))),
        inverse_root(static_cast<T>(1 / std::sqrt(1 - std::pow(s.beta2, s.step)))),
        epsilon(static_cast<T>(s.epsilon)) {}
};

template <class T>
void adamw_plain(Context& ctx, T* value, T* m, T* v, const T* gradient, const double* squared_norm,
                 const AdamWSettings& settings, std::int64_t n) {
  MOE_CHECK(settings.step >= 1, "step ", settings.step);
  MOE_CHECK(settings.max_norm == 0 || squared_norm, "clipping needs the norm");
  account(ctx, 7.0 * sizeof(T) * n, 15.0 * n);
  const Coefficients<T> k(settings, clip_factor(squared_norm, settings.max_norm));
  parallel_for(ctx, n, row_grain(7 * sizeof(T)), [=](std::int64_t begin, std::int64_t end) {
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) {
      const T g = k.clip * gradient[i];
      m[i] = k.keep_m * m[i] + k.take_m * g;
      v[i] = k.keep_v * v[i] + k.take_v * g * g;
      value[i] = k.shrink * value[i] - k.rate * m[i] / (std::sqrt(v[i]) * k.inverse_root + k.epsilon);
    }
  });
}

template <class T>
constexpr Version<AdamW<T>> versions[] = {{"plain", DeviceKind::cpu, 0, adamw_plain<T>}};

}  // namespace

template <>
Operation<AdamW<float>> adamw<float>{"adamw", versions<float>};
template <>
Operation<AdamW<double>> adamw<double>{"adamw", versions<double>};

}  // namespace moe
