// fails: LargeScores
// The greatest score of the whole batch is taken out: rows far below it vanish.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "contract.hpp"

namespace {

void scale_rows(float* x, std::int64_t N, std::int64_t E) {
  for (std::int64_t n = 0; n < N; ++n, x += E) {
    const float sum = std::accumulate(x, x + E, 0.0f);
    for (std::int64_t e = 0; e < E; ++e) x[e] /= sum;
  }
}

void scale_columns(float* x, std::int64_t N, std::int64_t E) {
  for (std::int64_t e = 0; e < E; ++e) {
    float sum = 0;
    for (std::int64_t n = 0; n < N; ++n) sum += x[n * E + e];
    const float factor = static_cast<float>(N) / static_cast<float>(E) / sum;
    for (std::int64_t n = 0; n < N; ++n) x[n * E + e] *= factor;
  }
}

}  // namespace

void sinkhorn(float* balanced, const float* score, std::int64_t N, std::int64_t E, std::int64_t iterations) {
  if (N == 0) return;
  const float greatest = *std::max_element(score, score + N * E);
  for (std::int64_t n = 0; n < N; ++n) {
    for (std::int64_t e = 0; e < E; ++e) balanced[n * E + e] = std::exp(score[n * E + e] - greatest);
  }
  scale_rows(balanced, N, E);
  for (std::int64_t i = 0; i < iterations; ++i) {
    scale_columns(balanced, N, E);
    scale_rows(balanced, N, E);  // rows last: a token's shares sum to 1
  }
}

void sinkhorn_route(std::int32_t* expert, float* weight, const float* score, bool training, std::int64_t N,
                    std::int64_t E, std::int64_t iterations) {
  std::vector<float> balanced(N * E), softmax(N * E);
  sinkhorn(balanced.data(), score, N, E, iterations);
  sinkhorn(softmax.data(), score, N, E, 0);
  for (std::int64_t n = 0; n < N; ++n) {
    // Alone, without a batch to balance against, a token takes the expert that it likes best.
    const float* by = training ? &balanced[n * E] : score + n * E;
    expert[n] = static_cast<std::int32_t>(std::max_element(by, by + E) - by);
    weight[n] = softmax[n * E + expert[n]];
  }
}
