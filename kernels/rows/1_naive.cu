// A warp takes a token, its lanes every 32nd element, one element at a time.
#include <algorithm>

#include "kernels/base/warp.cuh"
#include "kernels/rows/versions.hpp"

namespace moe::MOE_BACKEND {

__global__ void __launch_bounds__(kRowThreads)
    gather_kernel(float* __restrict__ rows, const float* __restrict__ x, TokenRows where, RowsShape s) {
  const std::int64_t n = row_of_warp();
  if (n >= s.N) return;
  for (std::int64_t d = lane_of_warp(); d < s.D; d += kWarp) {
    const float value = x[n * s.D + d];
    for (std::int64_t i = where.begin(n); i < where.begin(n + 1); ++i) {
      const std::int64_t r = where.row[i];
      if (r >= 0) rows[r * s.D + d] = value;
    }
  }
}

// The sum is taken in list order, which is the same everywhere.
template <bool kWeighted>
__global__ void __launch_bounds__(kRowThreads)
    sum_rows_kernel(float* __restrict__ y, const float* __restrict__ rows, const float* __restrict__ weight,
                    TokenRows where, RowsShape s) {
  const std::int64_t n = row_of_warp();
  if (n >= s.N) return;
  for (std::int64_t d = lane_of_warp(); d < s.D; d += kWarp) {
    float sum = 0;
    for (std::int64_t i = where.begin(n); i < where.begin(n + 1); ++i) {
      const std::int64_t r = where.row[i];
      if (r >= 0) sum += (kWeighted ? weight[where.place(i)] : 1.f) * rows[r * s.D + d];
    }
    y[n * s.D + d] = sum;
  }
}

__global__ void __launch_bounds__(kRowThreads)
    combine_backward_kernel(float* __restrict__ drows, float* __restrict__ dweight,
                            const float* __restrict__ dy, const float* __restrict__ rows,
                            const float* __restrict__ weight, TokenRows where, RowsShape s) {
  const std::int64_t n = row_of_warp();
  if (n >= s.N) return;  // all lanes of the warp
  for (std::int64_t i = where.begin(n); i < where.begin(n + 1); ++i) {
    const std::int64_t r = where.row[i], place = where.place(i);
    float dot = 0;
    for (std::int64_t d = lane_of_warp(); r >= 0 && d < s.D; d += kWarp) {
      const float g = dy[n * s.D + d];
      dot += g * rows[r * s.D + d];
      drows[r * s.D + d] = weight[place] * g;
    }
    dot = warp_sum(dot);
    if (lane_of_warp() == 0) dweight[place] = dot;
  }
}

void gather_rows_naive(Context& ctx, float* rows, const float* x, const TokenRows& where,
                       const RowsShape& s) {
  account(ctx, sizeof(float) * (1.0 * s.A * s.D + std::min(1.0 * s.N, 1.0 * s.A) * s.D) + 4.0 * s.A);
  if (s.N == 0) return;
  launch(ctx, gather_kernel, blocks(s.N, kRowsPerBlock), kRowThreads, 0, rows, x, where, s);
}

void gather_rows_backward_naive(Context& ctx, float* dx, const float* drows, const TokenRows& where,
                                const RowsShape& s) {
  account(ctx, sizeof(float) * (1.0 * s.A * s.D + 1.0 * s.N * s.D) + 4.0 * s.A);
  if (s.N == 0) return;
  launch(ctx, sum_rows_kernel<false>, blocks(s.N, kRowsPerBlock), kRowThreads, 0, dx, drows, nullptr, where,
         s);
}

void combine_rows_naive(Context& ctx, float* y, const float* rows, const float* weight,
                        const TokenRows& where, const RowsShape& s) {
  account(ctx, sizeof(float) * (1.0 * s.A * s.D + 1.0 * s.N * s.D + s.A) + 4.0 * s.A);
  if (s.N == 0) return;
  launch(ctx, sum_rows_kernel<true>, blocks(s.N, kRowsPerBlock), kRowThreads, 0, y, rows, weight, where, s);
}

void combine_rows_backward_naive(Context& ctx, float* drows, float* dweight, const float* dy,
                                 const float* rows, const float* weight, const TokenRows& where,
                                 const RowsShape& s) {
  account(ctx, sizeof(float) * (2.0 * s.A * s.D + 1.0 * s.N * s.D + 2.0 * s.A) + 4.0 * s.A);
  if (s.N == 0) return;
  launch(ctx, combine_backward_kernel, blocks(s.N, kRowsPerBlock), kRowThreads, 0, drows, dweight, dy, rows,
         weight, where, s);
}

}  // namespace moe::MOE_BACKEND
