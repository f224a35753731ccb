// fails: NoLeak BeatsBaseline
// Experts choose tokens (expert choice): balanced by construction, but whether a token is taken depends on the whole batch.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "contract.hpp"

constexpr std::int64_t kExperts = 2;  // of a token: the whole budget

// softmax of a row
static std::vector<float> probabilities(const float* logit, std::int64_t E) {
  const float greatest = *std::max_element(logit, logit + E);
  std::vector<float> p(E);
  for (std::int64_t e = 0; e < E; ++e) p[e] = std::exp(logit[e] - greatest);
  const float sum = std::accumulate(p.begin(), p.end(), 0.0f);
  for (float& x : p) x /= sum;
  return p;
}

// Every expert takes the tokens that like it best, its share of 2 N, as far as they have a free slot.
void route(std::int32_t* expert, float* weight, const float*, const float* logit, std::int64_t,
           std::int64_t N, std::int64_t E, std::int64_t S, std::int64_t) {
  std::fill(expert, expert + N * S, -1);
  std::fill(weight, weight + N * S, 0.0f);
  std::vector<float> p;
  for (std::int64_t n = 0; n < N; ++n)
    for (const float x : probabilities(logit + n * E, E)) p.push_back(x);
  std::vector<std::int64_t> order(N), used(N);
  for (std::int64_t e = 0; e < E; ++e) {
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a * E + e] > p[b * E + e]; });
    for (std::int64_t i = 0, taken = 0; i < N && taken < kExperts * N / E; ++i) {
      const std::int64_t n = order[i];
      if (used[n] == S) continue;
      expert[n * S + used[n]] = e;
      weight[n * S + used[n]++] = std::max(p[n * E + e], 1e-20f);
      ++taken;
    }
  }
  for (std::int64_t n = 0; n < N; ++n) {
    float sum = 0;
    for (std::int64_t s = 0; s < used[n]; ++s) sum += weight[n * S + s];
    for (std::int64_t s = 0; s < used[n]; ++s) weight[n * S + s] /= sum;
  }
}

// weight = p / Σ p of the chosen, so the gradient of a chosen logit is weight · (gradient - their weighted mean).
void learn(float* grad_logit, float*, const float* grad_weight, const std::int32_t* expert,
           const float* weight, const float*, std::int64_t, std::int64_t N, std::int64_t E, std::int64_t S,
           std::int64_t) {
  std::fill(grad_logit, grad_logit + N * E, 0.0f);
  for (std::int64_t n = 0; n < N; ++n, expert += S, weight += S, grad_weight += S) {
    float mean = 0;
    for (std::int64_t s = 0; s < S; ++s) mean += weight[s] * grad_weight[s];
    for (std::int64_t s = 0; s < S; ++s) {
      if (expert[s] < 0) continue;
      grad_logit[n * E + expert[s]] = weight[s] * (grad_weight[s] - mean);
    }
  }
}
