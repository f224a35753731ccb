// Histogram by atomics in global memory, one a key. Stable sort in four launches: count, scan, place, mark what is left
// out. Keys are cut into chunks, and in each a thread takes one bucket and walks the whole chunk, so that equal keys
// keep their order: buckets · n reads. The scan is one thread's work.
//
// Capacity: an element's place in the sorted list less its bucket's beginning is its rank in the bucket. Any version of the
// sort will do. The rest is elementwise.
#include <algorithm>

#include "kernels/base/elements.cuh"
#include "kernels/base/warp.cuh"
#include "kernels/routing_plan/versions.hpp"

namespace moe::MOE_BACKEND {
namespace {

constexpr int kThreads = 128;
constexpr std::int64_t kChunk = 512;  // keys

__device__ bool inside(std::int32_t key, std::int64_t buckets) {
  return 0 <= key && key < buckets;
}

__device__ std::int64_t chunk_end(std::int64_t begin, std::int64_t n) {
  return begin + kChunk < n ? begin + kChunk : n;
}

}  // namespace

__global__ void clear_kernel(std::int32_t* x, std::int64_t n) {
  const std::int64_t i = global_thread();
  if (i < n) x[i] = 0;
}

__global__ void histogram_kernel(std::int32_t* count, const std::int32_t* key, std::int64_t n,
                                 std::int64_t buckets) {
  const std::int64_t i = global_thread();
  if (i < n && inside(key[i], buckets)) atomicAdd(&count[key[i]], 1);  // integers: the order cannot show
}

// count (chunks, buckets). Grid (buckets, chunks), here and below.
__global__ void count_chunks_kernel(std::int32_t* count, const std::int32_t* key, std::int64_t n,
                                    std::int64_t buckets) {
  const std::int64_t bucket = global_thread(), begin = blockIdx.y * kChunk;
  if (bucket >= buckets) return;
  std::int32_t mine = 0;
  for (std::int64_t i = begin; i < chunk_end(begin, n); ++i) mine += key[i] == bucket;
  count[blockIdx.y * buckets + bucket] = mine;
}

// Counts become places: next[chunk, bucket] = where the chunk's first element of the bucket goes.
__global__ void scan_kernel(std::int32_t* offset, std::int32_t* next, std::int64_t chunks,
                            std::int64_t buckets) {
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
}

__global__ void place_kernel(std::int32_t* source, std::int32_t* row, const std::int32_t* next,
                             const std::int32_t* key, std::int64_t n, std::int64_t buckets) {
  const std::int64_t bucket = global_thread(), begin = blockIdx.y * kChunk;
  if (bucket >= buckets) return;
  std::int32_t place = next[blockIdx.y * buckets + bucket];
  for (std::int64_t i = begin; i < chunk_end(begin, n); ++i) {
    if (key[i] != bucket) continue;
    if (source) source[place] = static_cast<std::int32_t>(i);
    if (row) row[i] = place;
    ++place;
  }
}

__global__ void mark_left_out_kernel(std::int32_t* source, std::int32_t* row, const std::int32_t* offset,
                                     const std::int32_t* key, std::int64_t n, std::int64_t buckets) {
  const std::int64_t i = global_thread();
  if (i >= n) return;
  if (source && i >= offset[buckets]) source[i] = -1;
  if (row && !inside(key[i], buckets)) row[i] = -1;
}

// row, offset: of the sort by key. kept_key may be key.
__global__ void __launch_bounds__(kElementThreads)
    limit_kernel(std::int32_t* kept_key, const std::int32_t* key, const std::int32_t* row,
                 const std::int32_t* offset, std::int64_t n, std::int64_t capacity) {
  each_element(n, [=](std::int64_t i) {
    const std::int32_t k = key[i];
    kept_key[i] = row[i] >= 0 && row[i] - offset[k] < capacity ? k : -1;
  });
}

__global__ void __launch_bounds__(kElementThreads)
    look_up_kernel(std::int32_t* y, const std::int32_t* table, const std::int32_t* index, std::int64_t n) {
  each_element(n, [=](std::int64_t i) { y[i] = index[i] < 0 ? -1 : table[index[i]]; });
}

void histogram_naive(Context& ctx, std::int32_t* count, const std::int32_t* key, std::int64_t n,
                     std::int64_t buckets) {
  account(ctx, 4.0 * (n + buckets));
  if (buckets > 0) launch(ctx, clear_kernel, blocks(buckets, kThreads), kThreads, 0, count, buckets);
  if (n > 0) launch(ctx, histogram_kernel, blocks(n, kThreads), kThreads, 0, count, key, n, buckets);
}

void sort_by_key_naive(Context& ctx, std::int32_t* offset, std::int32_t* source, std::int32_t* row,
                       const std::int32_t* key, std::int64_t n, std::int64_t buckets) {
  account(ctx, 4.0 * (n + (source ? n : 0) + (row ? n : 0) + buckets));
  const std::int64_t chunks = (n + kChunk - 1) / kChunk;
  MOE_CHECK(chunks <= 65535, n, " keys: more chunks than a grid has rows");
  Scratch<std::int32_t> next(ctx, chunks * buckets);
  const bool work = n > 0 && buckets > 0;
  const dim3 grid(blocks(buckets, kThreads), static_cast<unsigned>(chunks));
  if (work) launch(ctx, count_chunks_kernel, grid, kThreads, 0, next.data(), key, n, buckets);
  launch(ctx, scan_kernel, 1, 1, 0, offset, next.data(), chunks, buckets);
  if (work) launch(ctx, place_kernel, grid, kThreads, 0, source, row, next.data(), key, n, buckets);
  if (n > 0)
    launch(ctx, mark_left_out_kernel, blocks(n, kThreads), kThreads, 0, source, row, offset, key, n, buckets);
}

void limit_per_key_naive(Context& ctx, std::int32_t* kept_key, const std::int32_t* key, std::int64_t n,
                         std::int64_t buckets, std::int64_t capacity) {
  account(ctx, 8.0 * n);
  if (n == 0) return;
  Scratch<std::int32_t> offset(ctx, buckets + 1), row(ctx, n);
  sort_by_key(ctx, offset.data(), nullptr, row.data(), key, n, buckets);
  launch(ctx, limit_kernel, element_blocks(n), kElementThreads, 0, kept_key, key, row.data(), offset.data(),
         n, capacity);
}

void look_up_naive(Context& ctx, std::int32_t* y, const std::int32_t* table, const std::int32_t* index,
                   std::int64_t n) {
  account(ctx, 12.0 * n);
  if (n > 0) launch(ctx, look_up_kernel, element_blocks(n), kElementThreads, 0, y, table, index, n);
}

}  // namespace moe::MOE_BACKEND
