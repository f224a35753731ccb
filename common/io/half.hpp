// The two 16-bit float formats of checkpoints. Widening to f32 is exact: every value of both is an f32. Rounding to bf16 is
// kernels/base/bf16.hpp.
#pragma once

#include <bit>
#include <cstdint>

namespace moe {

// bfloat16 is the upper half of an f32.
inline float from_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

// IEEE binary16: sign, 5 bits of exponent (bias 15), 10 of fraction.
inline float from_f16(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000) << 16;
  const std::uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | fraction << 13);  // infinity, NaN
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
  const float magnitude = static_cast<float>(fraction) * 0x1p-24f;  // subnormal, zero
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
}

// To the nearest, ties to the even one; beyond the greatest (65504) to infinity. NaN stays NaN, of the same sign.
inline std::uint16_t to_f16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  if (magnitude > 0x7f800000u) return sign | 0x7e00u;   // NaN
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // 65520, half way to the next, and more
  if (magnitude < 0x38800000u) {  // below 2^-14: a multiple of 2^-24, and the sum rounds to one
    const float rounded = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(rounded) - 0x3f000000u));
  }
  const std::uint32_t rebiased = magnitude - (112u << 23);
  return static_cast<std::uint16_t>(sign | (rebiased + 0xfffu + (rebiased >> 13 & 1u)) >> 13);
}

}  // namespace moe
