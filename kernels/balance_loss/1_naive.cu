// Sums over tokens in double, as on the CPU: column sums for the balance loss, one block for the z-loss. The gradients are
// elementwise; what is the same for all tokens is worked out by a launch of its own.
#include "kernels/balance_loss/versions.hpp"
#include "kernels/base/columns.cuh"
#include "kernels/base/elements.cuh"
#include "kernels/base/sums.cuh"

namespace moe::MOE_BACKEND {

struct ProbabilityTerm {
  const float* probability;  // (N, E)
  std::int64_t E;
  __device__ double operator()(std::int64_t n, std::int64_t e) const { return probability[n * E + e]; }
};

// sum (E): column sums of the probabilities. One division, so that perfect balance gives 1 without rounding. One block.
__global__ void __launch_bounds__(kSumThreads)
    balance_loss_kernel(float* loss, const double* sum, const std::int32_t* count, std::int64_t N,
                        std::int64_t E) {
  const double choices = block_sum_of(0, E, [=](std::int64_t e) { return static_cast<double>(count[e]); });
  const double weighted = block_sum_of(0, E, [=](std::int64_t e) { return count[e] * sum[e]; });
  const double scale = choices * static_cast<double>(N);
  if (threadIdx.x == 0)
    *loss = scale == 0 ? 0.f : static_cast<float>(static_cast<double>(E) * weighted / scale);
}

// row (E): the gradient, the same for every token. One block.
__global__ void __launch_bounds__(kSumThreads)
    balance_row_kernel(float* row, const float* dloss, const std::int32_t* count, std::int64_t N,
                       std::int64_t E) {
  const double choices = block_sum_of(0, E, [=](std::int64_t e) { return static_cast<double>(count[e]); });
  const double scale = choices * static_cast<double>(N), factor = static_cast<double>(*dloss) * E;
  for (std::int64_t e = threadIdx.x; e < E; e += kSumThreads)
    row[e] = scale == 0 ? 0.f : static_cast<float>(factor * count[e] / scale);
}

__global__ void __launch_bounds__(kElementThreads)
    balance_loss_backward_kernel(float* __restrict__ dprobability, const float* __restrict__ row,
                                 std::int64_t N, std::int64_t E, bool accumulate) {
  each_element(N * E,
               [=](std::int64_t i) { dprobability[i] = (accumulate ? dprobability[i] : 0.f) + row[i % E]; });
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
                        std::int64_t N, std::int64_t E) {
  account(ctx, 1.0 * sizeof(float) * N * E + 4.0 * E, 1.0 * N * E);
  Scratch<double> sum(ctx, E);
  sum_columns(ctx, sum.data(), ProbabilityTerm{probability, E}, N, E, false);
  launch(ctx, balance_loss_kernel, 1, kSumThreads, 0, loss, sum.data(), count, N, E);
}

void balance_loss_backward_naive(Context& ctx, float* dprobability, const float* dloss,
                                 const std::int32_t* count, std::int64_t N, std::int64_t E, bool accumulate) {
  account(ctx, sizeof(float) * (accumulate ? 2.0 : 1.0) * N * E + 4.0 * E, (accumulate ? 1.0 : 0.0) * N * E);
  if (N * E == 0) return;
  Scratch<float> row(ctx, E);
  launch(ctx, balance_row_kernel, 1, kSumThreads, 0, row.data(), dloss, count, N, E);
  launch(ctx, balance_loss_backward_kernel, element_blocks(N * E), kElementThreads, 0, dprobability,
         row.data(), N, E, accumulate);
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
