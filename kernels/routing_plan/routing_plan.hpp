// Histogram, scan and stable sort by a small key: what turns a list of routing decisions into rows grouped by
// expert. Integer work only: exact, and the same for any thread count.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

// count (buckets) = how often each key occurs in key (n); keys outside [0, buckets) are not counted.
using Histogram = void(Context&, std::int32_t* count, const std::int32_t* key, std::int64_t n,
                       std::int64_t buckets);

// Stable counting sort of 0..n-1 by key (n). Elements with a key outside [0, buckets) are left out.
//   offset (buckets+1): where each bucket begins; offset[buckets] = number of elements kept
//   source (n): source[row] = element that stands at that row; -1 from offset[buckets] on; may be null
//   row (n): row[element] = where it stands, -1 if left out; may be null
using SortByKey = void(Context&, std::int32_t* offset, std::int32_t* source, std::int32_t* row,
                       const std::int32_t* key, std::int64_t n, std::int64_t buckets);

// Capacity (Switch, arXiv:2101.03961): within each bucket the first `capacity` elements in list order keep their key,
// later ones get -1. key may be kept_key.
using LimitPerKey = void(Context&, std::int32_t* kept_key, const std::int32_t* key, std::int64_t n,
                         std::int64_t buckets, std::int64_t capacity);

// y (n): y[i] = table[index[i]], -1 where index is -1.
using LookUp = void(Context&, std::int32_t* y, const std::int32_t* table, const std::int32_t* index,
                    std::int64_t n);

extern const Operation<LookUp> look_up;
extern const Operation<Histogram> histogram;
extern const Operation<SortByKey> sort_by_key;
extern const Operation<LimitPerKey> limit_per_key;

}  // namespace moe
