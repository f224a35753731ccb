// One access of one warp to memory: what its lanes ask for, and in how many passes hardware serves it.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/simt/block.hpp"
#include "kernels/simt/traffic.hpp"

namespace moe::simt {

inline constexpr std::size_t kWidestAccess = 16;  // bytes of one lane

struct Request {
  std::uint32_t mask = 0;  // lanes that take part; of others nothing is set
  std::uint32_t phase = 0;
  std::array<std::uint8_t, kWarpSize> bytes;
  std::array<std::uintptr_t, kWarpSize> address;  // shared memory: its banks begin at a multiple of 128
};

// Rules and sources: kernels/simt/traffic.hpp.
TrafficCounts counts_of(const Request& request, Space space, TrafficKind kind);

}  // namespace moe::simt
