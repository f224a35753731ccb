// The thread that places a stretch of choices moves their rows, too: one region of work less, and places are still in its cache.
#include <algorithm>

#include "kernels/base/parallel.hpp"
#include "kernels/dispatch/versions.hpp"
#include "kernels/routing_plan/counting.hpp"

namespace moe::detail {
namespace {

// count (parts, E + 1)
void count_choices(Context& ctx, std::int32_t* count, const std::int32_t* expert, std::int64_t part,
                   const DispatchShape& s) {
  parallel_for(ctx, s.N, part, [=](std::int64_t begin, std::int64_t end) {
    std::int32_t* mine = count + begin / part * (s.E + 1);
    std::fill_n(mine, s.E + 1, 0);
    for (std::int64_t i = begin * s.K; i < end * s.K; ++i) ++mine[bucket_of(expert[i], s.E)];
  });
}

}  // namespace

template <class T>
void dispatch_rows_fused(Context& ctx, T* rows, std::int32_t* offset, std::int32_t* row, const T* x,
                         const std::int32_t* expert, const DispatchShape& s) {
  const std::int64_t A = s.N * s.K;
  // Tokens that have counters of their own; one thread scans those of all parts.
  const std::int64_t part = sum_grain(s.N, s.K * s.D * sizeof(T)), parts = (s.N + part - 1) / part;
  account(ctx, sizeof(T) * (1.0 * A * s.D + 1.0 * s.N * s.D) + 4.0 * (2 * A + s.E));
  Scratch<std::int32_t> next(ctx, parts * (s.E + 1));
  count_choices(ctx, next.data(), expert, part, s);
  scan_parts(offset, next.data(), parts, s.E);
  parallel_for(ctx, s.N, part, [&](std::int64_t begin, std::int64_t end) {
    std::int32_t* place = next.data() + begin / part * (s.E + 1);
    for (std::int64_t i = begin * s.K; i < end * s.K; ++i) {
      const std::int64_t e = bucket_of(expert[i], s.E);
      const std::int32_t r = place[e]++;
      row[i] = e < s.E ? r : -1;
    }
    for (std::int64_t n = begin; n < end; ++n)
      for (std::int64_t i = n * s.K; i < (n + 1) * s.K; ++i)
        if (row[i] >= 0) std::copy_n(x + n * s.D, s.D, rows + row[i] * s.D);
  });
}

template void dispatch_rows_fused(Context&, float*, std::int32_t*, std::int32_t*, const float*,
                                  const std::int32_t*, const DispatchShape&);
template void dispatch_rows_fused(Context&, double*, std::int32_t*, std::int32_t*, const double*,
                                  const std::int32_t*, const DispatchShape&);

}  // namespace moe::detail
