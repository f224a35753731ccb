// A warp takes a row. Backward: the rows are sorted by id, then a warp takes 32 columns of one id and adds that id's rows
// in their order, as the CPU does: the same sums to the last bit, without atomics.
#include <algorithm>

#include "kernels/base/warp.cuh"
#include "kernels/embedding/versions.hpp"
#include "kernels/routing_plan/routing_plan.hpp"

namespace moe::MOE_BACKEND {

__global__ void __launch_bounds__(kRowThreads)
    embedding_kernel(float* __restrict__ y, const float* __restrict__ table,
                     const std::int32_t* __restrict__ id, std::int64_t N, std::int64_t V, std::int64_t D) {
  const std::int64_t n = row_of_warp();
  if (n >= N) return;
  const std::int64_t v = id[n];
  const bool known = 0 <= v && v < V;
  for (std::int64_t d = lane_of_warp(); d < D; d += kWarp) y[n * D + d] = known ? table[v * D + d] : NAN;
}

// order[offset[v]] .. order[offset[v + 1] - 1] are the rows with id v. `strips` of 32 columns cover D.
__global__ void __launch_bounds__(kRowThreads)
    embedding_backward_kernel(float* __restrict__ dtable, const float* __restrict__ dy,
                              const std::int32_t* __restrict__ offset, const std::int32_t* __restrict__ order,
                              std::int64_t V, std::int64_t D, std::int64_t strips, bool accumulate) {
  const std::int64_t v = row_of_warp() / strips;
  const std::int64_t d = row_of_warp() % strips * kWarp + lane_of_warp();
  if (v >= V || d >= D) return;
  const std::int32_t begin = offset[v], end = offset[v + 1];
  if (accumulate && begin == end) return;
  float sum = accumulate ? dtable[v * D + d] : 0.f;
  for (std::int32_t i = begin; i < end; ++i) sum += dy[order[i] * D + d];
  dtable[v * D + d] = sum;
}

void embedding_naive(Context& ctx, float* y, const float* table, const std::int32_t* id, std::int64_t N,
                     std::int64_t V, std::int64_t D) {
  account(ctx, 2.0 * sizeof(float) * N * D + 4.0 * N);
  if (N == 0) return;
  launch(ctx, embedding_kernel, blocks(N, kRowsPerBlock), kRowThreads, 0, y, table, id, N, V, D);
}

void embedding_backward_naive(Context& ctx, float* dtable, const float* dy, const std::int32_t* id,
                              std::int64_t N, std::int64_t V, std::int64_t D, bool accumulate) {
  account(ctx, sizeof(float) * D * (N + (accumulate ? 2.0 * std::min(N, V) : V)) + 4.0 * N, 1.0 * N * D);
  const std::int64_t strips = (D + kWarp - 1) / kWarp;
  if (V * strips == 0 || (accumulate && N == 0)) return;
  Scratch<std::int32_t> offset(ctx, V + 1), order(ctx, N);
  sort_by_key(ctx, offset.data(), order.data(), nullptr, id, N, V);
  launch(ctx, embedding_backward_kernel, blocks(V * strips, kRowsPerBlock), kRowThreads, 0, dtable, dy,
         offset.data(), order.data(), V, D, strips, accumulate);
}

}  // namespace moe::MOE_BACKEND
