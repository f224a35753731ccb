// bfloat16: the upper half of a float, 8 bits of mantissa. A storage type of our own for host and device code; arithmetic
// happens in float.
#pragma once

#include <cstdint>

#include "kernels/base/host_device.hpp"

namespace moe {

struct Bf16 {
  std::uint16_t bits;
};

// To the nearest, ties to the even one; beyond the greatest to infinity. NaN stays NaN, of the same sign.
MOE_HOST_DEVICE Bf16 to_bf16(float x) {
  const auto bits = __builtin_bit_cast(std::uint32_t, x);
  const bool is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
  const std::uint32_t rounded = bits + 0x7fffu + (bits >> 16 & 1u);
  return {static_cast<std::uint16_t>(is_nan ? bits >> 16 | 0x40u : rounded >> 16)};
}

MOE_HOST_DEVICE float to_float(Bf16 x) {
  return __builtin_bit_cast(float, std::uint32_t{x.bits} << 16);
}

// What remains of a float that passes through bf16.
MOE_HOST_DEVICE float rounded_to_bf16(float x) {
  return to_float(to_bf16(x));
}

}  // namespace moe
