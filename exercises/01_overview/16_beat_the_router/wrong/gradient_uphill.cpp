// fails: BeatsBaseline
// Adds where training subtracts: the logits climb the loss. Balance alone does not make up for it.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "contract.hpp"

constexpr std::int64_t kExperts = 2;  // of a token: the whole budget
constexpr float kRate = 0.05f;        // by which the bias of a logit moves in a step

// softmax of a row
static std::vector<float> probabilities(const float* logit, std::int64_t E) {
  const float greatest = *std::max_element(logit, logit + E);
  std::vector<float> p(E);
  for (std::int64_t e = 0; e < E; ++e) p[e] = std::exp(logit[e] - greatest);
  const float sum = std::accumulate(p.begin(), p.end(), 0.0f);
  for (float& x : p) x /= sum;
  return p;
}

// The state's first E numbers are a bias (DeepSeek-V3, arXiv:2412.19437): it chooses, the softmax weighs.
void route(std::int32_t* expert, float* weight, const float* state, const float* logit, std::int64_t,
           std::int64_t N, std::int64_t E, std::int64_t S, std::int64_t) {
  std::vector<std::int32_t> order(E);
  for (std::int64_t n = 0; n < N; ++n, logit += E, expert += S, weight += S) {
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return logit[a] + state[a] > logit[b] + state[b]; });
    const std::int64_t K = std::min({kExperts, S, E});
    float sum = 0;
    const std::vector<float> p = probabilities(logit, E);
    for (std::int64_t s = 0; s < S; ++s) {
      expert[s] = s < K ? order[s] : -1;
      weight[s] = s < K ? std::max(p[order[s]], 1e-20f) : 0;
      sum += weight[s];
    }
    for (std::int64_t s = 0; s < K; ++s) weight[s] /= sum;
  }
}

// weight = p / Σ p of the chosen, so the gradient of a chosen logit is weight · (gradient - their weighted mean).
void learn(float* grad_logit, float* state, const float* grad_weight, const std::int32_t* expert,
           const float* weight, const float*, std::int64_t, std::int64_t N, std::int64_t E, std::int64_t S,
           std::int64_t) {
  std::fill(grad_logit, grad_logit + N * E, 0.0f);
  std::vector<std::int64_t> load(E);
  for (std::int64_t n = 0; n < N; ++n, expert += S, weight += S, grad_weight += S) {
    float mean = 0;
    for (std::int64_t s = 0; s < S; ++s)
      if (expert[s] >= 0) mean += weight[s] * grad_weight[s];
    for (std::int64_t s = 0; s < S; ++s) {
      if (expert[s] < 0) continue;
      grad_logit[n * E + expert[s]] = -weight[s] * (grad_weight[s] - mean);
      ++load[expert[s]];
    }
  }
  const float fair = static_cast<float>(std::accumulate(load.begin(), load.end(), std::int64_t{0})) / E;
  for (std::int64_t e = 0; e < E; ++e)
    state[e] += kRate * (load[e] < fair ? 1.0f : load[e] > fair ? -1.0f : 0.0f);
}
