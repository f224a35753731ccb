// Random numbers without state: philox4x32-10 (Salmon et al. 2011) of (seed, purpose, layer, step, index).
// A checkpoint needs seed and step only; recomputation and ranks reproduce for free.
#pragma once

// Philox needs no intrinsics of the processor; reading their headers would take a second in every file.
#define R123_USE_SSE 0
#define R123_USE_X86INTRIN_H 0
#include <Random123/philox.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "kernels/base/host_device.hpp"

namespace moe {

// What the numbers are for; two purposes never share a stream. Append only: checkpoints depend on the values.
enum class Purpose : std::uint32_t {
  init = 1,
  batch = 2,
  router_noise = 3,
  dropout = 4,
  sample = 5,
  test = 6
};

struct RngKey {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::test;
  std::uint16_t layer = 0;
  std::uint32_t step = 0;
};

namespace detail {

MOE_HOST_DEVICE philox4x32_ctr_t philox_words(const RngKey& key, std::uint64_t index) {
  const philox4x32_key_t k = {
      {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32)}};
  const philox4x32_ctr_t c = {{static_cast<std::uint32_t>(index),
                               static_cast<std::uint32_t>(index >> 32) << 16 | key.layer, key.step,
                               static_cast<std::uint32_t>(key.purpose)}};
  return philox4x32(c, k);
}

}  // namespace detail

// Four independent 32-bit words. index < 2^48: the global index of the token, parameter, ... that asks.
inline std::array<std::uint32_t, 4> philox(const RngKey& key, std::uint64_t index) {
  const philox4x32_ctr_t r = detail::philox_words(key, index);
  return {r.v[0], r.v[1], r.v[2], r.v[3]};
}

// [0, 1) with 24 bits: exact in f32.
MOE_HOST_DEVICE float to_uniform(std::uint32_t word) {
  return static_cast<float>(word >> 8) * 0x1p-24f;
}

inline float uniform(const RngKey& key, std::uint64_t index) {
  return to_uniform(philox(key, index)[0]);
}

// N(0, 1) by Box-Muller; in double, so that every libm rounds to the same float in practice.
MOE_HOST_DEVICE float normal(const RngKey& key, std::uint64_t index) {
  const philox4x32_ctr_t w = detail::philox_words(key, index);
  const double u = (static_cast<double>(w.v[0]) + 1) * 0x1p-32;  // (0, 1]
  const double v = static_cast<double>(w.v[1]) * 0x1p-32;
  return static_cast<float>(std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v));
}

}  // namespace moe
