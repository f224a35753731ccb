// Brings sections along that make the system start the loader of shared libraries, and the loader call it, before the
// program's entry and so before the seal.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "contract.hpp"

extern "C" void before_the_entry() {}

asm(R"(
  .section .interp, "a"
  .string "/lib64/ld-linux-x86-64.so.2"
  .section .myhash, "a"
my_hash: .long 1, 1, 0, 0
my_strings: .byte 0
my_symbols: .fill 24
  .section .mycalls, "aw"
my_calls: .quad before_the_entry
  .section .dynamic, "aw"
  .quad 4, my_hash, 5, my_strings, 6, my_symbols, 10, 1, 11, 24
  .quad 32, my_calls, 33, 8  # DT_PREINIT_ARRAY and its size
  .quad 0, 0
  .text
)");

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
