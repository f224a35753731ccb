#include <algorithm>

#include "kernels/base/parallel.hpp"
#include "kernels/routing_plan/routing_plan.hpp"
#include "kernels/routing_plan/versions.hpp"

namespace moe {
namespace {

constexpr std::int64_t kChunk = 4096;  // keys a chunk: its counters stay in the first-level cache

std::int64_t chunks_of(std::int64_t n) {
  return (n + kChunk - 1) / kChunk;
}

bool inside(std::int32_t key, std::int64_t buckets) {
  return 0 <= key && key < buckets;
}

// count (chunks, buckets)
void count_chunks(Context& ctx, std::int32_t* count, const std::int32_t* key, std::int64_t n,
                  std::int64_t buckets) {
  parallel_for(ctx, n, kChunk, [&](std::int64_t begin, std::int64_t end) {
    std::int32_t* mine = count + begin / kChunk * buckets;
    std::fill_n(mine, buckets, 0);
    for (std::int64_t i = begin; i < end; ++i)
      if (inside(key[i], buckets)) ++mine[key[i]];
  });
}

void count_keys(Context& ctx, std::int32_t* count, const std::int32_t* key, std::int64_t n,
                std::int64_t buckets) {
  account(ctx, 4.0 * (n + buckets));
  const std::int64_t chunks = chunks_of(n);
  Scratch<std::int32_t> partial(ctx, chunks * buckets);
  count_chunks(ctx, partial.data(), key, n, buckets);
  for (std::int64_t b = 0; b < buckets; ++b) {
    count[b] = 0;
    for (std::int64_t c = 0; c < chunks; ++c) count[b] += partial[c * buckets + b];
  }
}

// Three steps: count each chunk; scan bucket by bucket, chunk by chunk; let each chunk place its own
// elements. Stable, since a chunk's elements of a bucket stand behind those of earlier chunks.
void sort(Context& ctx, std::int32_t* offset, std::int32_t* source, std::int32_t* row,
          const std::int32_t* key, std::int64_t n, std::int64_t buckets) {
  account(ctx, 4.0 * (2 * n + (row ? n : 0) + buckets));
  const std::int64_t chunks = chunks_of(n);
  Scratch<std::int32_t> next(ctx,
                             chunks * buckets);  // counts, then where a chunk's next element of a bucket goes
  count_chunks(ctx, next.data(), key, n, buckets);
  std::int32_t total = 0;
  for (std::int64_t b = 0; b < buckets; ++b) {
    offset[b] = total;
    for (std::int64_t c = 0; c < chunks; ++c) {
      const std::int32_t count = next[c * buckets + b];
      next[c * buckets + b] = total;
      total += count;
    }
  }
  offset[buckets] = total;
  std::fill(source + total, source + n, -1);
  parallel_for(ctx, n, kChunk, [&](std::int64_t begin, std::int64_t end) {
    std::int32_t* place = next.data() + begin / kChunk * buckets;
    for (std::int64_t i = begin; i < end; ++i) {
      const bool kept = inside(key[i], buckets);
      const std::int32_t r = kept ? place[key[i]]++ : -1;
      if (kept) source[r] = static_cast<std::int32_t>(i);
      if (row) row[i] = r;
    }
  });
}

// In list order by nature, and cheap: one pass on one thread.
void limit(Context& ctx, std::int32_t* kept_key, const std::int32_t* key, std::int64_t n,
           std::int64_t buckets, std::int64_t capacity) {
  account(ctx, 8.0 * n);
  Scratch<std::int32_t> count(ctx, buckets);
  std::fill_n(count.data(), buckets, 0);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int32_t k = key[i];
    kept_key[i] = inside(k, buckets) && count[k]++ < capacity ? k : -1;
  }
}

void token_major_plain(Context& ctx, std::int32_t* token, std::int32_t* token_offset,
                       const std::int32_t* source, std::int64_t N, std::int64_t K) {
  account(ctx, 4.0 * (2 * N * K + N));
  parallel_for(ctx, N, kChunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) token_offset[n] = static_cast<std::int32_t>(n * K);
    for (std::int64_t i = begin * K; i < end * K; ++i)
      token[i] = source[i] < 0 ? -1 : source[i] / static_cast<std::int32_t>(K);
  });
  token_offset[N] = static_cast<std::int32_t>(N * K);
}

void look_up_plain(Context& ctx, std::int32_t* y, const std::int32_t* table, const std::int32_t* index,
                   std::int64_t n) {
  account(ctx, 12.0 * n);
  parallel_for(ctx, n, kChunk, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = index[i] < 0 ? -1 : table[index[i]];
  });
}

constexpr Version<TokenMajor> token_major_versions[] = {{"plain", DeviceKind::cpu, 0, token_major_plain}};
constexpr Version<LookUp> look_up_versions[] = {{"plain", DeviceKind::cpu, 0, look_up_plain}};
constexpr Version<Histogram> histogram_versions[] = {{"plain", DeviceKind::cpu, 0, count_keys},
                                                     MOE_DEVICE_ROWS("1_naive", histogram_naive)};
constexpr Version<SortByKey> sort_versions[] = {{"plain", DeviceKind::cpu, 0, sort},
                                                MOE_DEVICE_ROWS("1_naive", sort_by_key_naive)};
constexpr Version<LimitPerKey> limit_versions[] = {{"plain", DeviceKind::cpu, 0, limit}};

}  // namespace

const Operation<TokenMajor> token_major{"token_major", token_major_versions};
const Operation<LookUp> look_up{"look_up", look_up_versions};
const Operation<Histogram> histogram{"histogram", histogram_versions};
const Operation<SortByKey> sort_by_key{"sort_by_key", sort_versions};
const Operation<LimitPerKey> limit_per_key{"limit_per_key", limit_versions};

}  // namespace moe
