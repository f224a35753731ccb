// Radix sort of the elements' numbers, lowest digit of the key first, seven bits at most a pass: up to 128 buckets take
// one pass, 16384 two. Removes the naive version's buckets · n reads and its scan by one thread: a pass reads a key
// twice, and its counters are chunks · digits, however many buckets there are.
//
// A chunk of elements belongs to a block and a run of it to a thread, in the order of the list; a counter for each
// digit and thread, scanned in that order, gives every run its own places. So no two threads ask for the same place, and
// equal digits keep their order. The first pass leaves out the keys outside.
#include <algorithm>
#include <bit>

#include "kernels/base/elements.cuh"
#include "kernels/base/warp.cuh"
#include "kernels/routing_plan/versions.hpp"

namespace moe::MOE_BACKEND {
namespace {

constexpr int kThreads = 64;        // of a block that counts or places
constexpr int kRow = kThreads + 1;  // counters of a digit: one more, so that a column is not one bank
constexpr int kMostBits = 7;        // of a digit: counters of a block within 48 KiB
constexpr int kMostDigits = 1 << kMostBits;

// One pass. order: elements as the pass before left them, of which *kept are in use; null: 0 .. n-1, of which those
// with a key in [0, buckets) are.
struct Pass {
  const std::int32_t* key;
  const std::int32_t* order;
  const std::int32_t* kept;
  std::int64_t n, buckets;
  std::int64_t run;  // elements of a thread
  int shift, digits;

  __device__ std::int64_t chunk() const { return run * kThreads; }
  __device__ std::int64_t size() const { return order ? *kept : n; }
  __device__ std::int32_t element(std::int64_t i) const {
    return order ? order[i] : static_cast<std::int32_t>(i);
  }
  // -1: left out.
  __device__ int digit(std::int32_t at) const {
    const std::int32_t k = key[at];
    return 0 <= k && k < buckets ? (k >> shift) & (digits - 1) : -1;
  }
};

__device__ std::int64_t least(std::int64_t a, std::int64_t b) {
  return a < b ? a : b;
}

}  // namespace

// count (chunks, digits)
__global__ void __launch_bounds__(kThreads) radix_count_kernel(std::int32_t* count, Pass p) {
  __shared__ std::int32_t mine[kMostDigits];
  for (int d = threadIdx.x; d < p.digits; d += kThreads) mine[d] = 0;
  __syncthreads();
  const std::int64_t begin = blockIdx.x * p.chunk(), end = least(begin + p.chunk(), p.size());
  for (std::int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
    const int digit = p.digit(p.element(i));
    if (digit >= 0) atomicAdd(&mine[digit], 1);  // integers: the order cannot show
  }
  __syncthreads();
  for (int d = threadIdx.x; d < p.digits; d += kThreads) count[blockIdx.x * p.digits + d] = mine[d];
}

// Counts become places: count[chunk, digit] = where the chunk's first element of the digit goes, counted from the
// digit's own beginning, which is start[digit]. start (digits + 1); its last is the number of elements. A thread a digit.
__global__ void __launch_bounds__(kMostDigits)
    radix_scan_kernel(std::int32_t* start, std::int32_t* count, std::int64_t chunks, int digits) {
  __shared__ std::int32_t total[kMostDigits];
  const int digit = static_cast<int>(threadIdx.x);
  std::int32_t sum = 0;
  for (std::int64_t c = 0; c < chunks; ++c) {
    const std::int32_t here = count[c * digits + digit];
    count[c * digits + digit] = sum;
    sum += here;
  }
  total[digit] = sum;
  __syncthreads();
  std::int32_t before = 0;
  for (int d = 0; d < digit; ++d) before += total[d];
  start[digit] = before;
  if (digit == digits - 1) start[digits] = before + sum;
}

// out[place] = element. Dynamic shared memory: next (digits, kRow), the counters of each digit and thread.
__global__ void __launch_bounds__(kThreads)
    radix_place_kernel(std::int32_t* out, const std::int32_t* start, const std::int32_t* count, Pass p) {
  MOE_DYNAMIC_SHARED(std::int32_t, next);
  const int t = static_cast<int>(threadIdx.x);
  const std::int64_t begin = blockIdx.x * p.chunk() + t * p.run, end = least(begin + p.run, p.size());
  for (int d = 0; d < p.digits; ++d) next[d * kRow + t] = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const int digit = p.digit(p.element(i));
    if (digit >= 0) ++next[digit * kRow + t];
  }
  __syncthreads();
  for (int d = t; d < p.digits; d += kThreads) {
    std::int32_t place = start[d] + count[blockIdx.x * p.digits + d];
    for (int other = 0; other < kThreads; ++other) {
      const std::int32_t here = next[d * kRow + other];
      next[d * kRow + other] = place;
      place += here;
    }
  }
  __syncthreads();
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int32_t element = p.element(i);
    const int digit = p.digit(element);
    if (digit >= 0) out[next[digit * kRow + t]++] = element;
  }
}

// The sorted list is source[0 .. *kept). What follows from it: offset by binary search, row, and the tail of source.
// kept: null for 0.
__global__ void __launch_bounds__(kElementThreads)
    radix_finish_kernel(std::int32_t* offset, std::int32_t* source, std::int32_t* row,
                        const std::int32_t* kept, const std::int32_t* key, std::int64_t n,
                        std::int64_t buckets) {
  const std::int64_t sorted = kept ? *kept : 0;
  each_element(buckets + 1, [=](std::int64_t b) {
    std::int64_t low = 0, high = sorted;  // the first place whose key is not below b
    while (low < high) {
      const std::int64_t middle = (low + high) / 2;
      if (key[source[middle]] < b)
        low = middle + 1;
      else
        high = middle;
    }
    offset[b] = static_cast<std::int32_t>(low);
  });
  each_element(n, [=](std::int64_t i) {
    if (row && i < sorted) row[source[i]] = static_cast<std::int32_t>(i);
    if (row && !(0 <= key[i] && key[i] < buckets)) row[i] = -1;
    if (i >= sorted) source[i] = -1;
  });
}

namespace {

struct Digits {
  int passes, bits;
};

Digits digits_of(std::int64_t buckets) {
  const int bits =
      static_cast<int>(std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(buckets, 2) - 1)));
  const int passes = (bits + kMostBits - 1) / kMostBits;
  return {passes, (bits + passes - 1) / passes};
}

void run_pass(Context& ctx, std::int32_t* out, std::int32_t* start, std::int32_t* count, const Pass& p,
              std::int64_t chunks) {
  const auto grid = static_cast<unsigned>(chunks);
  const std::size_t shared = p.digits * kRow * sizeof(std::int32_t);
  launch(ctx, radix_count_kernel, grid, kThreads, 0, count, p);
  launch(ctx, radix_scan_kernel, 1, p.digits, 0, start, count, chunks, p.digits);
  launch(ctx, radix_place_kernel, grid, kThreads, shared, out, start, count, p);
}

}  // namespace

void sort_by_key_radix(Context& ctx, std::int32_t* offset, std::int32_t* source, std::int32_t* row,
                       const std::int32_t* key, std::int64_t n, std::int64_t buckets) {
  account(ctx, 4.0 * (n + (source ? n : 0) + (row ? n : 0) + buckets));
  const Digits digits = digits_of(buckets);
  const int count_of_digits = 1 << digits.bits;
  // At most 256 chunks: a thread adds up those of a digit.
  const std::int64_t run = std::max<std::int64_t>(16, (n + 256 * kThreads - 1) / (256 * kThreads));
  const std::int64_t chunks = (n + run * kThreads - 1) / (run * kThreads);
  const bool work = n > 0 && buckets > 0;
  // The number of elements kept stands behind the last start: every pass works out the same.
  Scratch<std::int32_t> count(ctx, chunks * count_of_digits), start(ctx, count_of_digits + 1),
      other(ctx, digits.passes > 1 ? n : 0), unwanted(ctx, source ? 0 : n);
  if (!source) source = unwanted.data();  // the list itself, which offset and row follow from
  const std::int32_t *order = nullptr, *kept = nullptr;
  for (int pass = 0; work && pass < digits.passes; ++pass) {
    std::int32_t* out = (digits.passes - pass) % 2 ? source : other.data();  // the last one writes to source
    run_pass(ctx, out, start.data(), count.data(),
             {key, order, kept, n, buckets, run, pass * digits.bits, count_of_digits}, chunks);
    order = out;
    kept = start.data() + count_of_digits;
  }
  launch(ctx, radix_finish_kernel, element_blocks(std::max(n, buckets + 1)), kElementThreads, 0, offset,
         source, row, kept, key, n, buckets);
}

}  // namespace moe::MOE_BACKEND
