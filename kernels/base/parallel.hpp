// parallel_for: the only place that knows threads.
//
// [0, count) is cut into chunks of `grain`, which depends on shapes only. A thread begins with its own share of them, the same in
// every call, and then takes what others have left.
// A body that writes only what belongs to its chunk therefore gives the same bytes for any thread count.
// Sums over chunks go through one partial per chunk, added in chunk order by the caller.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "kernels/base/context.hpp"

namespace moe {

// Index in [0, ctx.threads) of the thread that runs this body; 0 outside parallel_for.
int current_worker();

namespace detail {
using ChunkFunction = void (*)(void* body, std::int64_t chunk) noexcept;
void run_chunks(Context& ctx, std::int64_t chunks, ChunkFunction function, void* body);
}  // namespace detail

// body(begin, end). It must not throw (that ends the process): check arguments and take scratch before. It works under this
// context only; a parallel_for inside it runs on its own thread.
template <class Body>
void parallel_for(Context& ctx, std::int64_t count, std::int64_t grain, Body&& body) {
  if (count <= 0) return;
  struct Range {
    std::remove_reference_t<Body>* body;
    std::int64_t count, grain;
  } range{&body, count, grain};
  const auto run = [](void* opaque, std::int64_t chunk) noexcept {
    const Range& r = *static_cast<Range*>(opaque);
    const std::int64_t begin = chunk * r.grain;
    (*r.body)(begin, std::min(begin + r.grain, r.count));
  };
  detail::run_chunks(ctx, (count + grain - 1) / grain, run, &range);
}

// Rows per chunk so that a chunk moves about 64 KiB: large enough to hide the cost of handing it out
// (about 0.2 µs), small enough to share out evenly.
inline std::int64_t row_grain(std::int64_t bytes_per_row) {
  return std::max<std::int64_t>(1, 65536 / std::max<std::int64_t>(1, bytes_per_row));
}

// The same for sums over rows: at most 64 chunks, because one thread adds what each of them leaves.
inline std::int64_t sum_grain(std::int64_t rows, std::int64_t bytes_per_row) {
  return std::max(row_grain(bytes_per_row), (rows + 63) / 64);
}

}  // namespace moe
