// Vectors of one register, for work on as many rows at once: a row a lane. For .cpp files of kernels/ only.
//
// GCC's and Clang's vectors: arithmetic, comparisons (-1 or 0 a lane) and ?: work lane by lane.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

namespace moe::detail {

// One register: of wider vectors GCC moves single lanes, which is slower than rows one by one.
#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif
using Floats = float __attribute__((vector_size(4 * kLanes)));
using Ints = std::int32_t __attribute__((vector_size(4 * kLanes)));
using Words = std::uint32_t __attribute__((vector_size(4 * kLanes)));

inline Floats load_lanes(const float* x) {
  Floats v;
  std::memcpy(&v, x, sizeof v);
  return v;
}
inline void store_lanes(float* y, Floats v) {
  std::memcpy(y, &v, sizeof v);
}

// Lane i of the result is lane `from[i]` of a, then b.
inline Floats shuffle(Floats a, Floats b, Ints from) {
#ifdef __clang__  // knows only a shuffle whose lanes are arguments one by one; inlined, this becomes one, too
  Floats result = {};
  for (int i = 0; i < kLanes; ++i) result[i] = from[i] < kLanes ? a[from[i]] : b[from[i] - kLanes];
  return result;
#else
  return __builtin_shuffle(a, b, from);
#endif
}

// Exchanges off-diagonal blocks of kDistance × kDistance between rows i and i + kDistance: a step of a transposition.
template <int kDistance, int... kLane>
inline void exchange_blocks(Floats (&m)[kLanes], std::integer_sequence<int, kLane...>) {
  constexpr Ints kLow = {(kLane & kDistance ? kLanes + kLane - kDistance : kLane)...};
  constexpr Ints kHigh = {(kLane & kDistance ? kLanes + kLane : kLane + kDistance)...};
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) {
    if (i & kDistance) continue;
    const Floats a = m[i], b = m[i + kDistance];
    m[i] = shuffle(a, b, kLow);
    m[i + kDistance] = shuffle(a, b, kHigh);
  }
}

// m (kLanes, kLanes) becomes its transpose.
template <int kDistance = kLanes / 2>
inline void transpose(Floats (&m)[kLanes]) {
  exchange_blocks<kDistance>(m, std::make_integer_sequence<int, kLanes>());
  if constexpr (kDistance > 1) transpose<kDistance / 2>(m);
}

}  // namespace moe::detail
