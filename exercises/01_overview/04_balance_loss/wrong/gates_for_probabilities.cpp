// fails: HandCase AnySize GradientDirection Gradient
// P is made of the renormalised gates: with K = 1 it does not depend on the scores, and its gradient is zero.
#include <algorithm>
#include <vector>

#include "contract.hpp"

namespace {

// f (E): the share of all choices that fell on each expert, so that it sums to 1 for any K.
std::vector<float> shares(const std::int32_t* expert, std::int64_t N, std::int64_t E, std::int64_t K) {
  std::vector<float> f(E);
  for (std::int64_t i = 0; i < N * K; ++i) f[expert[i]] += 1.0f / static_cast<float>(N * K);
  return f;
}

// The sum of a token's chosen scores.
float chosen_sum(const float* score, const std::int32_t* expert, std::int64_t K) {
  float sum = 0;
  for (std::int64_t k = 0; k < K; ++k) sum += score[expert[k]];
  return sum;
}

// Σ_e f_e·p_e over the chosen experts alone.
float chosen_mean(const std::vector<float>& f, const float* score, const std::int32_t* expert,
                  std::int64_t K) {
  float mean = 0;
  for (std::int64_t k = 0; k < K; ++k) mean += f[expert[k]] * score[expert[k]];
  return mean / chosen_sum(score, expert, K);
}

}  // namespace

float balance_loss(const float* score, const std::int32_t* expert, const std::int32_t*, float alpha,
                   std::int64_t N, std::int64_t E, std::int64_t K) {
  const std::vector<float> f = shares(expert, N, E, K);
  float together = 0;
  for (std::int64_t n = 0; n < N; ++n, score += E, expert += K) together += chosen_mean(f, score, expert, K);
  return N == 0 ? 0 : alpha * static_cast<float>(E) * together / static_cast<float>(N);
}

void balance_loss_gradient(float* dscore, const float* score, const std::int32_t* expert, const std::int32_t*,
                           float alpha, std::int64_t N, std::int64_t E, std::int64_t K) {
  const std::vector<float> f = shares(expert, N, E, K);
  const float scale = alpha * static_cast<float>(E) / static_cast<float>(N);
  std::fill_n(dscore, N * E, 0.0f);
  for (std::int64_t n = 0; n < N; ++n, score += E, expert += K, dscore += E) {
    const float sum = chosen_sum(score, expert, K), mean = chosen_mean(f, score, expert, K);
    for (std::int64_t k = 0; k < K; ++k) dscore[expert[k]] = scale * (f[expert[k]] - mean) / sum;
  }
}
