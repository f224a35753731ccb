// Which rows a block takes when rows are grouped by expert and only the device knows the groups.
//
// The tiles of all experts stand in one list whose length the host can bound: row_tile_slots(A, E). Expert e begins at slot
// offset[e] / kRows + e. Between its beginning and the next expert's there are floor(offset[e+1] / kRows) -
// floor(offset[e] / kRows) + 1 slots, at least as many as its rows need, and never more than one too many. So a block knows
// from offset alone whose slot it has: no scan, no list in memory, no copy to the host.
#pragma once

#include "kernels/base/launch.hpp"

namespace moe::MOE_BACKEND {

struct RowTile {
  std::int64_t expert, begin;  // its first row
  int rows;                    // 0: a slot that no expert needs
};

template <int kRows>
std::int64_t row_tile_slots(std::int64_t A, std::int64_t E) {
  return A / kRows + E;
}

template <int kRows>
__device__ inline std::int64_t first_slot(const std::int32_t* offset, std::int64_t e) {
  return offset[e] / kRows + e;
}

// All threads of the block come here. Each looks at every kThreads-th expert; one of them finds the slot between its ends.
template <int kRows, int kThreads>
__device__ inline RowTile find_row_tile(RowTile& shared, const std::int32_t* offset, std::int64_t E,
                                        std::int64_t slot) {
  const int thread = static_cast<int>(threadIdx.x);
  if (thread == 0 && slot >= first_slot<kRows>(offset, E)) shared = {};
  for (std::int64_t e = thread; e < E; e += kThreads) {
    const std::int64_t first = first_slot<kRows>(offset, e);
    if (slot < first || slot >= first_slot<kRows>(offset, e + 1)) continue;
    const std::int64_t begin = offset[e] + (slot - first) * kRows, left = offset[e + 1] - begin;
    shared = {e, begin, static_cast<int>(left < 0 ? 0 : left < kRows ? left : kRows)};
  }
  __syncthreads();
  return shared;
}

}  // namespace moe::MOE_BACKEND
