// What a stable sort by counting is made of. For .cpp files of kernels/ only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace moe::detail {

// All keys outside [0, buckets) share one more bucket behind the others.
inline std::int64_t bucket_of(std::int32_t key, std::int64_t buckets) {
  return std::min<std::int64_t>(static_cast<std::uint32_t>(key), buckets);
}

// Counts, (parts, buckets + 1), become the places of each part's first element of each bucket; offset (buckets + 1). An element's
// place is its part's, counted up: stable, since a part's elements of a bucket stand behind those of earlier parts.
inline void scan_parts(std::int32_t* offset, std::int32_t* count, std::int64_t parts, std::int64_t buckets) {
  std::int32_t total = 0;
  for (std::int64_t b = 0; b <= buckets; ++b) {
    offset[b] = total;
    for (std::int64_t p = 0; p < parts; ++p) total += std::exchange(count[p * (buckets + 1) + b], total);
  }
}

}  // namespace moe::detail
