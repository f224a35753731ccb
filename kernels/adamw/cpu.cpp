#include <cmath>

#include "kernels/adamw/adamw.hpp"
#include "kernels/adamw/coefficients.hpp"
#include "kernels/adamw/versions.hpp"
#include "kernels/base/parallel.hpp"
#include "kernels/base/tables.hpp"

namespace moe {
namespace {

template <class T>
void adamw_plain(Context& ctx, T* value, T* m, T* v, const T* gradient, const double* squared_norm,
                 const AdamWSettings& settings, std::int64_t n) {
  MOE_CHECK(settings.step >= 1, "step ", settings.step);
  MOE_CHECK(settings.max_norm == 0 || squared_norm, "clipping needs the norm");
  account(ctx, 7.0 * sizeof(T) * n, 15.0 * n);
  const AdamWCoefficients<T> k(settings);
  const T clip = static_cast<T>(settings.max_norm == 0 ? 1 : clip_factor(*squared_norm, settings.max_norm));
  parallel_for(ctx, n, row_grain(7 * sizeof(T)), [=](std::int64_t begin, std::int64_t end) {
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) {
      const T g = clip * gradient[i];
      m[i] = k.keep_m * m[i] + k.take_m * g;
      v[i] = k.keep_v * v[i] + k.take_v * g * g;
      value[i] = k.shrink * value[i] - k.rate * m[i] / (std::sqrt(v[i]) * k.inverse_root + k.epsilon);
    }
  });
}

}  // namespace

MOE_TABLES(AdamW, adamw, adamw_plain)

}  // namespace moe
