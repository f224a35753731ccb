// A warp takes a row, its lanes every 32nd expert; sums over tokens go by column, without atomics. Three launches an iteration.
#include "kernels/base/columns.cuh"
#include "kernels/base/sums.cuh"
#include "kernels/sinkhorn/versions.hpp"

namespace moe::MOE_BACKEND {
namespace {

struct ScaledMass {
  const float* mass;         // (N, E)
  const double* row_factor;  // (N)
  std::int64_t E;
  __device__ double operator()(std::int64_t n, std::int64_t e) const {
    return mass[n * E + e] * row_factor[n];
  }
};

// v (E) that makes a column with this sum one of N/E.
struct ColumnFactor {
  const double* sum;  // (E); null: all factors are 1
  double target;
  __device__ double operator()(std::int64_t e) const {
    if (!sum) return 1;
    return sum[e] > 0 ? target / sum[e] : 0;
  }
};

// Every lane gets the sum.
__device__ inline double row_total(const float* mass, ColumnFactor factor, std::int64_t E) {
  double total = 0;
  for (std::int64_t e = lane_of_warp(); e < E; e += kWarp) total += mass[e] * factor(e);
  return warp_sum(total);
}

}  // namespace

__global__ void __launch_bounds__(kRowThreads)
    sinkhorn_exp_kernel(float* mass, const float* score, std::int64_t N, std::int64_t E) {
  const std::int64_t n = row_of_warp();
  if (n >= N) return;  // all lanes of the warp
  mass += n * E;
  score += n * E;
  float top = -INFINITY, bad = 0;
  for (std::int64_t e = lane_of_warp(); e < E; e += kWarp) {
    top = fmaxf(top, score[e]);
    if (score[e] != score[e]) bad = 1;
  }
  top = warp_max(top);
  if (top == INFINITY || top == -INFINITY) bad = 1;
  bad = warp_max(bad);
  for (std::int64_t e = lane_of_warp(); e < E; e += kWarp) mass[e] = bad > 0 ? 0.f : expf(score[e] - top);
}

__global__ void __launch_bounds__(kRowThreads)
    sinkhorn_rows_kernel(double* row_factor, const float* mass, ColumnFactor factor, std::int64_t N,
                         std::int64_t E) {
  const std::int64_t n = row_of_warp();
  if (n >= N) return;
  const double total = row_total(mass + n * E, factor, E);
  if (lane_of_warp() == 0) row_factor[n] = total > 0 ? 1 / total : 0;
}

__global__ void __launch_bounds__(kRowThreads)
    sinkhorn_finish_kernel(float* mass, ColumnFactor factor, std::int64_t N, std::int64_t E) {
  const std::int64_t n = row_of_warp();
  if (n >= N) return;
  mass += n * E;
  const double total = row_total(mass, factor, E);
  for (std::int64_t e = lane_of_warp(); e < E; e += kWarp)
    mass[e] = total > 0 ? static_cast<float>(mass[e] * factor(e) / total) : NAN;
}

void sinkhorn_naive(Context& ctx, float* balanced, const float* score, std::int64_t N, std::int64_t E,
                    std::int64_t iterations) {
  account(ctx, (4.0 + 2.0 * static_cast<double>(iterations)) * sizeof(float) * N * E,
          (6.0 + 4.0 * iterations) * N * E);
  if (N * E == 0) return;
  const unsigned rows = blocks(N, kRowsPerBlock);
  Scratch<double> row_factor(ctx, N), sum(ctx, E);
  ColumnFactor factor{nullptr, static_cast<double>(N) / static_cast<double>(E)};
  launch(ctx, sinkhorn_exp_kernel, rows, kRowThreads, 0, balanced, score, N, E);
  for (std::int64_t i = 0; i < iterations; ++i) {
    launch(ctx, sinkhorn_rows_kernel, rows, kRowThreads, 0, row_factor.data(), balanced, factor, N, E);
    sum_columns(ctx, sum.data(), ScaledMass{balanced, row_factor.data(), E}, N, E, false);
    factor.sum = sum.data();
  }
  launch(ctx, sinkhorn_finish_kernel, rows, kRowThreads, 0, balanced, factor, N, E);
}

}  // namespace moe::MOE_BACKEND
