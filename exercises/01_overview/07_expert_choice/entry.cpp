// The answer's two functions; find_leak gets routers from here, some of which leak.
#include <algorithm>
#include <cmath>
#include <vector>

#include "common/grade/worker/entry.hpp"
#include "exercises/01_overview/07_expert_choice/contract.hpp"

namespace {

std::int64_t fair_share(std::int64_t N, std::int64_t E) {
  return (N + E - 1) / E;
}

std::int64_t best(const float* logit, std::int64_t E, std::int64_t except = -1) {
  std::int64_t b = except == 0 ? 1 : 0;
  for (std::int64_t e = b + 1; e < E; ++e)
    if (e != except && logit[e] > logit[b]) b = e;
  return b;
}

float probability(const float* logit, std::int64_t E, std::int64_t e) {
  float sum = 0;
  for (std::int64_t i = 0; i < E; ++i) sum += std::exp(logit[i] - logit[e]);
  return 1 / sum;
}

void top_k(float* gate, const float* logit, std::int64_t N, std::int64_t E) {
  std::fill_n(gate, N * E, 0.0f);
  for (std::int64_t n = 0; n < N; ++n, gate += E, logit += E) {
    const std::int64_t a = best(logit, E), b = best(logit, E, a);
    gate[a] = 1 / (1 + std::exp(logit[b] - logit[a]));
    gate[b] = 1 - gate[a];
  }
}

// One round of choices in the order of the tokens: what is beyond the capacity is dropped.
void serve(float* gate, std::vector<std::int64_t>& count, const float* logit, std::int64_t N, std::int64_t E,
           bool second) {
  for (std::int64_t n = 0; n < N; ++n, gate += E, logit += E) {
    std::int64_t e = best(logit, E);
    if (second) e = best(logit, E, e);
    if (count[e]++ < fair_share(N, E)) gate[e] = probability(logit, E, e);
  }
}

void switch_capacity(float* gate, const float* logit, std::int64_t N, std::int64_t E) {
  std::fill_n(gate, N * E, 0.0f);
  std::vector<std::int64_t> count(E);
  serve(gate, count, logit, N, E, false);
}

// All first choices before any second one.
void gshard(float* gate, const float* logit, std::int64_t N, std::int64_t E) {
  std::fill_n(gate, N * E, 0.0f);
  std::vector<std::int64_t> count(E);
  serve(gate, count, logit, N, E, false);
  serve(gate, count, logit, N, E, true);
}

// Weights are scaled by a statistic of the batch: nobody's expert changes, only a digit of the weight.
void batch_scale(float* gate, const float* logit, std::int64_t N, std::int64_t E) {
  top_k(gate, logit, N, E);
  float mean = 0;
  for (std::int64_t i = 0; i < N * E; ++i) mean += std::tanh(logit[i]) / static_cast<float>(N * E);
  for (std::int64_t i = 0; i < N * E; ++i) gate[i] *= 1 + 1e-3f * mean;
}

// Token 4 looks at token 5, all others are causal.
void look_ahead(float* gate, const float* logit, std::int64_t N, std::int64_t E) {
  top_k(gate, logit, N, E);
  if (N < 6) return;
  const float seen = probability(logit + 5 * E, E, 0);
  for (std::int64_t e = 0; e < E; ++e) gate[4 * E + e] *= seen;
}

void learners_own(float* gate, const float* logit, std::int64_t N, std::int64_t E) {
  const std::int64_t C = fair_share(N, E);
  std::vector<std::int32_t> token(E * C, -1);
  std::vector<float> weight(E * C);
  expert_choice(token.data(), weight.data(), logit, N, E, C);
  std::fill_n(gate, N * E, 0.0f);
  for (std::int64_t i = 0; i < E * C; ++i)
    if (token[i] >= 0 && token[i] < N) gate[token[i] * E + i / C] = weight[i];
}

}  // namespace

std::int64_t find_leak_of(std::int32_t router, const float* logit, std::int64_t N, std::int64_t E) {
  Router* const routers[] = {top_k, switch_capacity, gshard, batch_scale, look_ahead, learners_own};
  return find_leak(routers[router], logit, N, E);
}

MOE_ANSWER(expert_choice, find_leak_of)
