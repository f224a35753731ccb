#include <algorithm>

#include "kernels/base/parallel.hpp"
#include "kernels/routing_plan/counting.hpp"
#include "kernels/routing_plan/routing_plan.hpp"
#include "kernels/routing_plan/versions.hpp"

namespace moe {
namespace {

using detail::bucket_of, detail::scan_parts;

// A chunk of keys is four parts with counters of their own, walked in step: two keys of one bucket in a row would have to wait
// for each other's counter (4 to 5 cycles), which costs half of the time.
constexpr std::int64_t kParts = 4, kPart = 1024, kChunk = kParts * kPart;

std::int64_t parts_of(std::int64_t n) {
  return (n + kChunk - 1) / kChunk * kParts;
}

// visit(part, i) for every i of a chunk, in rising order within each part of it.
template <class Visit>
void walk_parts(std::int64_t begin, std::int64_t end, Visit visit) {
  if (end - begin == kChunk) {
    for (std::int64_t i = begin; i < begin + kPart; ++i)
      for (std::int64_t part = 0; part < kParts; ++part) visit(part, i + part * kPart);
  } else {
    for (std::int64_t i = begin; i < end; ++i) visit((i - begin) / kPart, i);
  }
}

// count (parts, buckets + 1)
void count_parts(Context& ctx, std::int32_t* count, const std::int32_t* key, std::int64_t n,
                 std::int64_t buckets) {
  const std::int64_t row = buckets + 1;
  parallel_for(ctx, n, kChunk, [=](std::int64_t begin, std::int64_t end) {
    std::int32_t* mine = count + begin / kPart * row;
    std::fill_n(mine, kParts * row, 0);
    walk_parts(begin, end,
               [=](std::int64_t part, std::int64_t i) { ++mine[part * row + bucket_of(key[i], buckets)]; });
  });
}

void count_keys(Context& ctx, std::int32_t* count, const std::int32_t* key, std::int64_t n,
                std::int64_t buckets) {
  account(ctx, 4.0 * (n + buckets));
  const std::int64_t parts = parts_of(n), row = buckets + 1;
  Scratch<std::int32_t> partial(ctx, parts * row);
  count_parts(ctx, partial.data(), key, n, buckets);
  std::fill_n(count, buckets, 0);
  for (std::int64_t p = 0; p < parts; ++p)
    for (std::int64_t b = 0; b < buckets; ++b) count[b] += partial[p * row + b];
}

// Three steps: count each part; scan bucket by bucket, part by part; let each part place its own elements. What is left out is
// placed behind all others, and then overwritten.
void sort(Context& ctx, std::int32_t* offset, std::int32_t* source, std::int32_t* row,
          const std::int32_t* key, std::int64_t n, std::int64_t buckets) {
  account(ctx, 4.0 * (n + (source ? n : 0) + (row ? n : 0) + buckets));
  const std::int64_t parts = parts_of(n);
  Scratch<std::int32_t> next(ctx, parts * (buckets + 1));
  count_parts(ctx, next.data(), key, n, buckets);
  scan_parts(offset, next.data(), parts, buckets);
  parallel_for(ctx, n, kChunk, [&](std::int64_t begin, std::int64_t end) {
    std::int32_t* place = next.data() + begin / kPart * (buckets + 1);
    walk_parts(begin, end, [=](std::int64_t part, std::int64_t i) {
      const std::int64_t b = bucket_of(key[i], buckets);
      const std::int32_t r = place[part * (buckets + 1) + b]++;
      if (source) source[r] = static_cast<std::int32_t>(i);
      if (row) row[i] = b < buckets ? r : -1;
    });
  });
  if (source) std::fill(source + offset[buckets], source + n, -1);
}

// In list order by nature, and cheap: one pass on one thread.
void limit(Context& ctx, std::int32_t* kept_key, const std::int32_t* key, std::int64_t n,
           std::int64_t buckets, std::int64_t capacity) {
  account(ctx, 8.0 * n);
  Scratch<std::int32_t> count(ctx, buckets);
  std::fill_n(count.data(), buckets, 0);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int32_t k = key[i];
    kept_key[i] = bucket_of(k, buckets) < buckets && count[k]++ < capacity ? k : -1;
  }
}

void look_up_plain(Context& ctx, std::int32_t* y, const std::int32_t* table, const std::int32_t* index,
                   std::int64_t n) {
  account(ctx, 12.0 * n);
  parallel_for(ctx, n, kChunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = index[i] < 0 ? -1 : table[index[i]];
  });
}

constexpr Version<LookUp> look_up_versions[] = {{"plain", DeviceKind::cpu, 0, look_up_plain},
                                                MOE_DEVICE_ROWS("1_naive", look_up_naive)};
constexpr Version<Histogram> histogram_versions[] = {{"plain", DeviceKind::cpu, 0, count_keys},
                                                     MOE_DEVICE_ROWS("1_naive", histogram_naive)};
constexpr Version<SortByKey> sort_versions[] = {{"plain", DeviceKind::cpu, 0, sort},
                                                MOE_DEVICE_ROWS("1_naive", sort_by_key_naive)
                                                    MOE_DEVICE_ROWS("2_radix", sort_by_key_radix)};
constexpr Version<LimitPerKey> limit_versions[] = {{"plain", DeviceKind::cpu, 0, limit},
                                                   MOE_DEVICE_ROWS("1_naive", limit_per_key_naive)};

}  // namespace

const Operation<LookUp> look_up{"look_up", look_up_versions};
const Operation<Histogram> histogram{"histogram", histogram_versions};
const Operation<SortByKey> sort_by_key{"sort_by_key", sort_versions};
const Operation<LimitPerKey> limit_per_key{"limit_per_key", limit_versions};

}  // namespace moe
