// fails: NoFalseAlarm FindsLeaks YourRouterLeaks
// Compares all tokens, also those that it has changed itself.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "contract.hpp"

void expert_choice(std::int32_t* token, float* weight, const float* logit, std::int64_t N, std::int64_t E,
                   std::int64_t C) {
  // A token's probabilities are over experts, as in any router.
  std::vector<float> p(N * E);
  for (std::int64_t n = 0; n < N; ++n) {
    const float* row = logit + n * E;
    const float greatest = *std::max_element(row, row + E);
    float sum = 0;
    for (std::int64_t e = 0; e < E; ++e) sum += p[n * E + e] = std::exp(row[e] - greatest);
    for (std::int64_t e = 0; e < E; ++e) p[n * E + e] /= sum;
  }
  // But experts choose: each looks down its column. Stable: among equals the earlier token stays first.
  std::vector<std::int32_t> order(N);
  for (std::int64_t e = 0; e < E; ++e, token += C, weight += C) {
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return p[a * E + e] > p[b * E + e]; });
    for (std::int64_t c = 0; c < C; ++c) {
      token[c] = order[c];
      weight[c] = p[order[c] * E + e];
    }
  }
}

std::int64_t find_leak(Router* route, const float* logit, std::int64_t N, std::int64_t E) {
  std::vector<float> before(N * E), after(N * E);
  route(before.data(), logit, N, E);
  for (std::int64_t prefix = 1; prefix < N; ++prefix) {
    // As many tokens as before, so that no capacity changes; the later ones want the opposite.
    std::vector<float> changed(logit, logit + N * E);
    for (std::int64_t i = prefix * E; i < N * E; ++i) changed[i] = -changed[i];
    route(after.data(), changed.data(), N, E);
    // The same bits, not nearly: a causal router never saw the difference.
    for (std::int64_t i = 0; i < N * E; ++i)
      if (before[i] != after[i]) return i / E;
  }
  return -1;
}
