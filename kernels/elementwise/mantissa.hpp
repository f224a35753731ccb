// A number with a shorter mantissa, for host and device code.
#pragma once

#include <cstdint>

#include "kernels/base/host_device.hpp"

namespace moe::detail {

template <class T>
struct Bits;
template <>
struct Bits<float> {
  using Integer = std::uint32_t;
  static constexpr int mantissa = 23;
  static constexpr Integer infinity = 0x7f800000u;
};
template <>
struct Bits<double> {
  using Integer = std::uint64_t;
  static constexpr int mantissa = 52;
  static constexpr Integer infinity = 0x7ff0000000000000u;
};

// To the nearest, ties to the even one; beyond the greatest to infinity. NaN stays as it is.
template <class T>
MOE_HOST_DEVICE T round_mantissa_of(T x, int bits) {
  using I = typename Bits<T>::Integer;
  const int dropped = Bits<T>::mantissa - bits;
  if (dropped <= 0) return x;
  const I value = __builtin_bit_cast(I, x), unit = I{1} << dropped;
  if ((value & (Bits<T>::infinity | (Bits<T>::infinity - 1))) > Bits<T>::infinity) return x;
  const I rounded = value + (unit >> 1) - 1 + (value >> dropped & 1);
  return __builtin_bit_cast(T, rounded & ~(unit - 1));
}

}  // namespace moe::detail
