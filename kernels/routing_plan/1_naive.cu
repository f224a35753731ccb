// Histogram by atomics in global memory, one a key. Stable sort in four launches: count, scan, place, mark what is left
// out. Keys are cut into chunks, and in each a thread takes one bucket and walks the whole chunk, so that equal keys
// keep their order: buckets · n reads. The scan is one thread's work.
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
    source[place] = static_cast<std::int32_t>(i);
    if (row) row[i] = place;
    ++place;
  }
}

__global__ void mark_left_out_kernel(std::int32_t* source, std::int32_t* row, const std::int32_t* offset,
                                     const std::int32_t* key, std::int64_t n, std::int64_t buckets) {
  const std::int64_t i = global_thread();
  if (i >= n) return;
  if (i >= offset[buckets]) source[i] = -1;
  if (row && !inside(key[i], buckets)) row[i] = -1;
}

void histogram_naive(Context& ctx, std::int32_t* count, const std::int32_t* key, std::int64_t n,
                     std::int64_t buckets) {
  account(ctx, 4.0 * (n + buckets));
  if (buckets > 0) launch(ctx, clear_kernel, blocks(buckets, kThreads), kThreads, 0, count, buckets);
  if (n > 0) launch(ctx, histogram_kernel, blocks(n, kThreads), kThreads, 0, count, key, n, buckets);
}

void sort_by_key_naive(Context& ctx, std::int32_t* offset, std::int32_t* source, std::int32_t* row,
                       const std::int32_t* key, std::int64_t n, std::int64_t buckets) {
  account(ctx, 4.0 * (2 * n + (row ? n : 0) + buckets));
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

}  // namespace moe::MOE_BACKEND
