// fails: TinyScores
// A small number guards the division, and scores far below it cheat the loss.
#include <numeric>
#include <vector>

#include "contract.hpp"

namespace {

// f (E): the share of all choices that fell on each expert, so that it sums to 1 for any K.
std::vector<float> shares(const std::int32_t* expert, std::int64_t N, std::int64_t E, std::int64_t K) {
  std::vector<float> f(E);
  for (std::int64_t i = 0; i < N * K; ++i) f[expert[i]] += 1.0f / static_cast<float>(N * K);
  return f;
}

}  // namespace

float balance_loss(const float* score, const std::int32_t* expert, const std::int32_t*, float alpha,
                   std::int64_t N, std::int64_t E, std::int64_t K) {
  const std::vector<float> f = shares(expert, N, E, K);
  float together = 0;  // Σ over tokens of Σ_e f_e·p_e
  for (std::int64_t n = 0; n < N; ++n, score += E)
    together += std::inner_product(score, score + E, f.begin(), 0.0f) /
                (std::accumulate(score, score + E, 0.0f) + 1e-9f);
  return N == 0 ? 0 : alpha * static_cast<float>(E) * together / static_cast<float>(N);
}

void balance_loss_gradient(float* dscore, const float* score, const std::int32_t* expert, const std::int32_t*,
                           float alpha, std::int64_t N, std::int64_t E, std::int64_t K) {
  const std::vector<float> f = shares(expert, N, E, K);
  const float scale = alpha * static_cast<float>(E) / static_cast<float>(N);
  for (std::int64_t n = 0; n < N; ++n, score += E, dscore += E) {
    const float sum = (std::accumulate(score, score + E, 0.0f) + 1e-9f);
    const float mean = std::inner_product(score, score + E, f.begin(), 0.0f) / sum;
    // A score also moves the sum that all scores of its row are divided by: hence "- mean".
    for (std::int64_t e = 0; e < E; ++e) dscore[e] = scale * (f[e] - mean) / sum;
  }
}
