// exp written so that the compiler can vectorise it: libm's expf is a call a number (33 ms for 4 M numbers, this
// form 1–3 ms), and glibc's vector form needs -ffast-math, which would also make NaN comparisons lie.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace moe {

// e^x within 2 ulp; 0 below about -87.3, +inf above about 88.7, NaN for NaN.
inline float exp_fast(float x) {
  constexpr float kLog2e = 1.44269504088896341f;
  constexpr float kLn2Hi = 0.693359375f, kLn2Lo = -2.12194440e-4f;  // Cody and Waite's split of ln 2
  constexpr float kShift = 12582912.f;                              // 1.5 * 2^23: adding it rounds to an integer
  float c = x < -87.33654f ? -87.33654f : x;
  c = c > 88.72283f ? 88.72283f : c;
  const float shifted = c * kLog2e + kShift;
  const float n = shifted - kShift;
  const float r = (c - n * kLn2Hi) - n * kLn2Lo;  // |r| <= ln 2 / 2
  float p = 1.9875691500e-4f;                     // Cephes' minimax polynomial
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.f;
  // 2^n in two factors, since n = 128 alone would not fit the exponent.
  const std::int32_t k = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kShift);
  const std::int32_t half = k >> 1;
  const float a = std::bit_cast<float>((half + 127) << 23), b = std::bit_cast<float>((k - half + 127) << 23);
  float y = p * a * b;
  y = x < -87.33654f ? 0.f : y;
  y = x > 88.72283f ? HUGE_VALF : y;
  return x != x ? x : y;
}
inline double exp_fast(double x) { return std::exp(x); }

template <class T>
inline T sigmoid(T x) {
  return T(1) / (T(1) + exp_fast(-x));
}

}  // namespace moe
