// One number, or one token, at a time: the arithmetic that the CPU and the kernels share. Private to this folder.
#pragma once

#include <cmath>

#include "kernels/base/host_device.hpp"
#include "kernels/noisy_gate/noisy_gate.hpp"

namespace moe::detail {

constexpr double kLeastDeviation = 1e-6;

// Beyond 20 the two are the same in f32 and exp could overflow later.
template <class T>
MOE_HOST_DEVICE T softplus(T x) {
  return x > T(20) ? x : std::log1p(std::exp(x));
}
template <class T>
MOE_HOST_DEVICE T softplus_slope(T x) {
  return 1 / (1 + std::exp(-x));
}

// Element i of (N, E).
template <class T>
MOE_HOST_DEVICE T noise(const RngKey& key, const NoiseShape& s, std::int64_t i) {
  return T(normal(key, static_cast<std::uint64_t>(s.first_token * s.E + i)));
}

// Of row n: which of the M best is expert e's threshold.
MOE_HOST_DEVICE std::int64_t threshold_place(const std::int32_t* expert, std::int64_t e, std::int64_t K) {
  for (std::int64_t k = 0; k < K; ++k)
    if (expert[k] == e) return K;
  return K - 1;
}

template <class T>
struct Standard {
  T z, deviation;
  bool least;  // the deviation is the least one, a constant
};
template <class T>
MOE_HOST_DEVICE Standard<T> standardised(T clean, T spread, T threshold) {
  const T deviation = softplus(spread);
  const bool least = deviation < T(kLeastDeviation);
  const T divisor = least ? T(kLeastDeviation) : deviation;
  return {(clean - threshold) / divisor, divisor, least};
}

template <class T>
MOE_HOST_DEVICE void load_row(T* P, const T* clean, const T* spread, const std::int32_t* expert,
                              const T* score, const LoadShape& s) {
  for (std::int64_t e = 0; e < s.E; ++e) {
    if (s.K >= s.E) {
      P[e] = 1;
      continue;
    }
    const T z = standardised(clean[e], spread[e], score[threshold_place(expert, e, s.K)]).z;
    P[e] = T(0.5) * std::erfc(-z * T(0.70710678118654752));
  }
}

template <class T>
MOE_HOST_DEVICE void load_row_backward(T* dclean, T* dspread, T* dscore, const T* dP, const T* clean,
                                       const T* spread, const std::int32_t* expert, const T* score,
                                       const LoadShape& s) {
  for (std::int64_t e = 0; e < s.E; ++e) dclean[e] = dspread[e] = dscore[e] = 0;
  for (std::int64_t e = 0; e < s.E && s.K < s.E; ++e) {
    const std::int64_t place = threshold_place(expert, e, s.K);
    const Standard<T> at = standardised(clean[e], spread[e], score[place]);
    const T density = T(0.39894228040143268) * std::exp(T(-0.5) * at.z * at.z);
    const T d = dP[e] * density / at.deviation;
    dclean[e] = d;
    dspread[e] = at.least ? T(0) : -d * at.z * softplus_slope(spread[e]);
    dscore[expert[place]] -= d;
  }
}

}  // namespace moe::detail
