// fails: HandCase BiasChooses
// The experts are those of the greatest score: the bias does nothing.
#include <algorithm>
#include <numeric>
#include <vector>

#include "contract.hpp"

void route(std::int32_t* expert, float* weight, std::int32_t* load, const float* score, const float*,
           bool recomputed, std::int64_t N, std::int64_t E, std::int64_t K) {
  std::vector<std::int32_t> order(E);
  for (std::int64_t n = 0; n < N; ++n, score += E, expert += K, weight += K) {
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return score[a] > score[b]; });
    float sum = 0;
    for (std::int64_t k = 0; k < K; ++k) {
      expert[k] = order[k];
      sum += score[order[k]];
      if (!recomputed) ++load[order[k]];  // what runs again was counted the first time
    }
    for (std::int64_t k = 0; k < K; ++k) weight[k] = score[expert[k]] / sum;
  }
}

void end_of_step(float* bias, std::int32_t* load, float rate, std::int64_t E) {
  const std::int64_t total = std::accumulate(load, load + E, std::int64_t{0});
  for (std::int64_t e = 0; e < E; ++e) {
    // Against the mean total / E, without a division that rounds.
    if (load[e] * E < total) bias[e] += rate;
    if (load[e] * E > total) bias[e] -= rate;
  }
  std::fill(load, load + E, 0);
}
