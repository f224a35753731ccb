// Sums over tokens in double, as on the CPU: column sums for the balance loss, one block for the z-loss. The gradients are
// elementwise; what is the same for all tokens is worked out by a launch of its own.
#include "kernels/balance_loss/row.hpp"
#include "kernels/balance_loss/versions.hpp"
#include "kernels/base/columns.cuh"
#include "kernels/base/elements.cuh"
#include "kernels/base/sums.cuh"

namespace moe::MOE_BACKEND {

// Column (g, e) of row t: expert e of the t-th token of group g.
struct ProbabilityTerm {
  const float* probability;  // (N, E)
  std::int64_t tokens, E;    // of a group
  __device__ double operator()(std::int64_t t, std::int64_t column) const {
    return probability[(column / E * tokens + t) * E + column % E];
  }
};

// sum (S, E): column sums of the probabilities. One division a group, so that perfect balance gives 1 without rounding. One
// block.
__global__ void __launch_bounds__(kSumThreads)
    balance_loss_kernel(float* loss, const double* sum, const std::int32_t* count, BalanceShape s) {
  double all = 0;
  for (std::int64_t g = 0; g < s.S; ++g) {
    const std::int64_t begin = g * s.E, end = begin + s.E;
    const double choices =
        block_sum_of(begin, end, [=](std::int64_t i) { return static_cast<double>(count[i]); });
    const double weighted = block_sum_of(begin, end, [=](std::int64_t i) { return count[i] * sum[i]; });
    const double scale = choices * static_cast<double>(s.N / s.S);
    all += scale == 0 ? 0 : static_cast<double>(s.E) * weighted / scale;
  }
  if (threadIdx.x == 0) *loss = static_cast<float>(all / static_cast<double>(s.S));
}

// row (S, E): the gradient, the same for every token of a group. A block a group.
__global__ void __launch_bounds__(kSumThreads)
    balance_row_kernel(float* row, const float* dloss, const std::int32_t* count, BalanceShape s) {
  const std::int64_t begin = blockIdx.x * s.E, end = begin + s.E;
  const double choices =
      block_sum_of(begin, end, [=](std::int64_t i) { return static_cast<double>(count[i]); });
  for (std::int64_t i = begin + threadIdx.x; i < end; i += kSumThreads)
    row[i] = static_cast<float>(detail::balance_gradient(*dloss, count[i], choices, s));
}

// dx (N, E) = the row of the token's group, groups of `tokens`.
__global__ void __launch_bounds__(kElementThreads)
    write_rows_kernel(float* __restrict__ dx, const float* __restrict__ row, std::int64_t n, std::int64_t E,
                      std::int64_t tokens, bool accumulate) {
  each_element(
      n, [=](std::int64_t i) { dx[i] = (accumulate ? dx[i] : 0.f) + row[i / (E * tokens) * E + i % E]; });
}

// By one block.
__device__ detail::Spread spread_of(const double* sum, std::int64_t E) {
  const double all = block_sum_of(0, E, [=](std::int64_t e) { return sum[e]; });
  return {all, block_sum_of(0, E, [=](std::int64_t e) { return sum[e] * sum[e]; })};
}

__global__ void __launch_bounds__(kSumThreads)
    variation_kernel(float* loss, const double* sum, std::int64_t E) {
  const detail::Spread spread = spread_of(sum, E);
  if (threadIdx.x == 0) *loss = static_cast<float>(detail::variation(spread, E));
}

__global__ void __launch_bounds__(kSumThreads)
    variation_row_kernel(float* row, const float* dloss, const double* sum, std::int64_t E) {
  const detail::Spread spread = spread_of(sum, E);
  for (std::int64_t e = threadIdx.x; e < E; e += kSumThreads)
    row[e] = static_cast<float>(static_cast<double>(*dloss) * detail::variation_gradient(sum[e], spread, E));
}

// One block.
__global__ void __launch_bounds__(kSumThreads)
    entropy_kernel(float* loss, const float* probability, std::int64_t N, std::int64_t E) {
  const double sum =
      block_sum_of(0, N * E, [=](std::int64_t i) { return detail::entropy_term(probability[i]); });
  if (threadIdx.x == 0) *loss = N == 0 ? 0.f : static_cast<float>(sum / static_cast<double>(N));
}

__global__ void __launch_bounds__(kElementThreads)
    entropy_backward_kernel(float* __restrict__ dprobability, const float* __restrict__ dloss,
                            const float* __restrict__ probability, std::int64_t N, std::int64_t E,
                            bool accumulate) {
  const float scale = *dloss / static_cast<float>(N);
  each_element(N * E, [=](std::int64_t i) {
    dprobability[i] = (accumulate ? dprobability[i] : 0.f) + detail::entropy_gradient(probability[i], scale);
  });
}

// One block.
__global__ void __launch_bounds__(kSumThreads)
    z_loss_kernel(float* loss, const float* logsumexp, std::int64_t N) {
  const double sum = block_sum_of(0, N, [=](std::int64_t n) { return square(logsumexp[n]); });
  if (threadIdx.x == 0) *loss = N == 0 ? 0.f : static_cast<float>(sum / static_cast<double>(N));
}

__global__ void __launch_bounds__(kElementThreads)
    z_loss_backward_kernel(float* __restrict__ dlogits, const float* __restrict__ dloss,
                           const float* __restrict__ logsumexp, const float* __restrict__ probability,
                           std::int64_t N, std::int64_t E, bool accumulate) {
  const float scale = 2 * *dloss / static_cast<float>(N);
  each_element(N * E, [=](std::int64_t i) {
    dlogits[i] = (accumulate ? dlogits[i] : 0.f) + scale * logsumexp[i / E] * probability[i];
  });
}

void balance_loss_naive(Context& ctx, float* loss, const float* probability, const std::int32_t* count,
                        const BalanceShape& s) {
  MOE_CHECK(s.S >= 1 && s.N % s.S == 0, s.N, " tokens in ", s.S, " groups");
  account(ctx, 1.0 * sizeof(float) * s.N * s.E + 4.0 * s.S * s.E, 1.0 * s.N * s.E);
  Scratch<double> sum(ctx, s.S * s.E);
  sum_columns(ctx, sum.data(), ProbabilityTerm{probability, s.N / s.S, s.E}, s.N / s.S, s.S * s.E, false);
  launch(ctx, balance_loss_kernel, 1, kSumThreads, 0, loss, sum.data(), count, s);
}

void balance_loss_backward_naive(Context& ctx, float* dprobability, const float* dloss,
                                 const std::int32_t* count, const BalanceShape& s, bool accumulate) {
  const std::int64_t n = s.N * s.E;
  account(ctx, sizeof(float) * (accumulate ? 2.0 : 1.0) * n + 4.0 * s.S * s.E, (accumulate ? 1.0 : 0.0) * n);
  if (n == 0) return;
  Scratch<float> row(ctx, s.S * s.E);
  launch(ctx, balance_row_kernel, static_cast<unsigned>(s.S), kSumThreads, 0, row.data(), dloss, count, s);
  launch(ctx, write_rows_kernel, element_blocks(n), kElementThreads, 0, dprobability, row.data(), n, s.E,
         s.N / s.S, accumulate);
}

void squared_variation_naive(Context& ctx, float* loss, double* sum, const float* x, std::int64_t N,
                             std::int64_t E) {
  account(ctx, 1.0 * sizeof(float) * N * E, 1.0 * N * E);
  sum_columns(ctx, sum, ProbabilityTerm{x, N, E}, N, E, false);
  launch(ctx, variation_kernel, 1, kSumThreads, 0, loss, sum, E);
}

void squared_variation_backward_naive(Context& ctx, float* dx, const float* dloss, const double* sum,
                                      std::int64_t N, std::int64_t E, bool accumulate) {
  account(ctx, sizeof(float) * (accumulate ? 2.0 : 1.0) * N * E, (accumulate ? 1.0 : 0.0) * N * E);
  if (N * E == 0) return;
  Scratch<float> row(ctx, E);
  launch(ctx, variation_row_kernel, 1, kSumThreads, 0, row.data(), dloss, sum, E);
  launch(ctx, write_rows_kernel, element_blocks(N * E), kElementThreads, 0, dx, row.data(), N * E, E, N,
         accumulate);
}

void entropy_loss_naive(Context& ctx, float* loss, const float* probability, std::int64_t N, std::int64_t E) {
  account(ctx, 1.0 * sizeof(float) * N * E, 3.0 * N * E);
  launch(ctx, entropy_kernel, 1, kSumThreads, 0, loss, probability, N, E);
}

void entropy_loss_backward_naive(Context& ctx, float* dprobability, const float* dloss,
                                 const float* probability, std::int64_t N, std::int64_t E, bool accumulate) {
  account(ctx, sizeof(float) * (accumulate ? 3.0 : 2.0) * N * E, 3.0 * N * E);
  if (N * E == 0) return;
  launch(ctx, entropy_backward_kernel, element_blocks(N * E), kElementThreads, 0, dprobability, dloss,
         probability, N, E, accumulate);
}

void z_loss_naive(Context& ctx, float* loss, const float* logsumexp, std::int64_t N) {
  account(ctx, 1.0 * sizeof(float) * N, 2.0 * N);
  launch(ctx, z_loss_kernel, 1, kSumThreads, 0, loss, logsumexp, N);
}

void z_loss_backward_naive(Context& ctx, float* dlogits, const float* dloss, const float* logsumexp,
                           const float* probability, std::int64_t N, std::int64_t E, bool accumulate) {
  account(ctx, sizeof(float) * ((accumulate ? 3.0 : 2.0) * N * E + N), (accumulate ? 2.0 : 1.0) * N * E);
  if (N * E == 0) return;
  launch(ctx, z_loss_backward_kernel, element_blocks(N * E), kElementThreads, 0, dlogits, dloss, logsumexp,
         probability, N, E, accumulate);
}

}  // namespace moe::MOE_BACKEND
