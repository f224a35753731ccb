// Scores go a thread an element, load probabilities a thread a token: its row is short, and the arithmetic is the CPU's.
#include "kernels/base/elements.cuh"
#include "kernels/base/warp.cuh"
#include "kernels/noisy_gate/row.hpp"
#include "kernels/noisy_gate/versions.hpp"

namespace moe::MOE_BACKEND {
namespace {

constexpr int kThreads = 128;

}  // namespace

__global__ void __launch_bounds__(kElementThreads)
    noisy_score_kernel(float* score, const float* clean, const float* spread, RngKey key, NoiseShape s) {
  each_element(s.N * s.E, [=](std::int64_t i) {
    score[i] = clean[i] + detail::noise<float>(key, s, i) * detail::softplus(spread[i]);
  });
}

__global__ void __launch_bounds__(kElementThreads)
    noisy_score_backward_kernel(float* dspread, const float* dscore, const float* spread, RngKey key,
                                NoiseShape s) {
  each_element(s.N * s.E, [=](std::int64_t i) {
    dspread[i] = dscore[i] * detail::noise<float>(key, s, i) * detail::softplus_slope(spread[i]);
  });
}

__global__ void __launch_bounds__(kThreads)
    load_kernel(float* P, const float* clean, const float* spread, const std::int32_t* expert,
                const float* score, LoadShape s, std::int64_t M) {
  const std::int64_t n = global_thread();
  if (n < s.N)
    detail::load_row(P + n * s.E, clean + n * s.E, spread + n * s.E, expert + n * M, score + n * M, s);
}

__global__ void __launch_bounds__(kThreads)
    load_backward_kernel(float* dclean, float* dspread, float* dscore, const float* dP, const float* clean,
                         const float* spread, const std::int32_t* expert, const float* score, LoadShape s,
                         std::int64_t M) {
  const std::int64_t n = global_thread(), row = n * s.E;
  if (n < s.N)
    detail::load_row_backward(dclean + row, dspread + row, dscore + row, dP + row, clean + row, spread + row,
                              expert + n * M, score + n * M, s);
}

void noisy_score_naive(Context& ctx, float* score, const float* clean, const float* spread, const RngKey& key,
                       const NoiseShape& s) {
  account(ctx, 12.0 * s.N * s.E);
  const std::int64_t n = s.N * s.E;
  if (n > 0)
    launch(ctx, noisy_score_kernel, element_blocks(n), kElementThreads, 0, score, clean, spread, key, s);
}

void noisy_score_backward_naive(Context& ctx, float* dspread, const float* dscore, const float* spread,
                                const RngKey& key, const NoiseShape& s) {
  account(ctx, 12.0 * s.N * s.E);
  const std::int64_t n = s.N * s.E;
  if (n > 0)
    launch(ctx, noisy_score_backward_kernel, element_blocks(n), kElementThreads, 0, dspread, dscore, spread,
           key, s);
}

void load_probability_naive(Context& ctx, float* P, const float* clean, const float* spread,
                            const std::int32_t* expert, const float* score, const LoadShape& s) {
  account(ctx, s.N * (12.0 * s.E + 8.0 * s.M()));
  if (s.N > 0)
    launch(ctx, load_kernel, blocks(s.N, kThreads), kThreads, 0, P, clean, spread, expert, score, s, s.M());
}

void load_probability_backward_naive(Context& ctx, float* dclean, float* dspread, float* dscore,
                                     const float* dP, const float* clean, const float* spread,
                                     const std::int32_t* expert, const float* score, const LoadShape& s) {
  account(ctx, s.N * (24.0 * s.E + 8.0 * s.M()));
  if (s.N > 0)
    launch(ctx, load_backward_kernel, blocks(s.N, kThreads), kThreads, 0, dclean, dspread, dscore, dP, clean,
           spread, expert, score, s, s.M());
}

}  // namespace moe::MOE_BACKEND
