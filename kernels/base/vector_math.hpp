// exp written so that the compiler can vectorise it: libm's expf is a call a number (33 ms for 4 M numbers,
// this form 1–3 ms), and glibc's vector form needs -ffast-math, which would also make NaN comparisons lie.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace moe {

namespace detail {

// e^r·2^n = e^x of a float, or of a vector of them (F; I: as many unsigned 32-bit integers).
template <class I, class F>
struct ExpParts {
  F e_r;       // 0.7 to 1.42
  I exponent;  // n where a float has its exponent
};

template <class I, class F>
inline ExpParts<I, F> exp_parts(F x) {
  constexpr float kLog2e = 1.44269504088896341f;
  constexpr float kLn2Hi = 0.693359375f, kLn2Lo = -2.12194440e-4f;  // Cody and Waite's split of ln 2
  constexpr float kShift = 12582912.f;  // 1.5 * 2^23: adding it rounds to an integer
  const F shifted = x * kLog2e + kShift;
  const F n = shifted - kShift;
  const F r = (x - n * kLn2Hi) - n * kLn2Lo;  // |r| <= ln 2 / 2
  F p = F{} + 1.9875691500e-4f;               // Cephes' minimax polynomial
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  // n stands in the low bits of `shifted`; the shift pushes all others out.
  return {p * r * r + r + 1.f, std::bit_cast<I>(shifted) << 23};
}

constexpr float kLeastExp = -87.33654f, kMostExp = 88.72283f;  // beyond: 0, infinity

// The numbers of exp_fast for x <= 0, and NaN for NaN: e^r·2^n as a product keeps NaN by itself, one compare less.
template <class I, class F>
inline F exp_of_nonpositive(F x) {
  const auto [e_r, exponent] = exp_parts<I>(x);
  const F y = e_r * std::bit_cast<F>(exponent + (127u << 23));
  return x < kLeastExp ? F{} : y;
}

}  // namespace detail

// e^x within 2 ulp; 0 below about -87.3 (no subnormal results), +inf above about 88.7, NaN for NaN.
inline float exp_fast(float x) {
  const auto [e_r, exponent] = detail::exp_parts<std::uint32_t>(x);
  float y = std::bit_cast<float>(std::bit_cast<std::uint32_t>(e_r) + exponent);
  // Outside the range y is garbage, and one of these replaces it.
  y = x < detail::kLeastExp ? 0.f : y;
  return x <= detail::kMostExp ? y : x + HUGE_VALF;  // +inf, or NaN for NaN
}
inline double exp_fast(double x) {
  return std::exp(x);
}

template <class T>
inline T sigmoid(T x) {
  return T(1) / (T(1) + exp_fast(-x));
}

}  // namespace moe
