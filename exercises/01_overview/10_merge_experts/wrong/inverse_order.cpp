// fails: ShuffledCopy MergeAligned
// neuron[i] is the place that neuron i of b goes to: the inverse of what is asked for.
#include <algorithm>
#include <numeric>
#include <vector>

#include "contract.hpp"

void align_neurons(std::int32_t* neuron, const float* gate_up_a, const float* down_a, const float* gate_up_b,
                   const float* down_b, std::int64_t D, std::int64_t F) {
  std::vector<double> score(F * F);  // how alike neuron j of a and neuron i of b are
  for (std::int64_t j = 0; j < F; ++j)
    for (std::int64_t i = 0; i < F; ++i)
      for (std::int64_t d = 0; d < D; ++d)
        score[j * F + i] += gate_up_a[j * D + d] * gate_up_b[i * D + d] +
                            gate_up_a[(F + j) * D + d] * gate_up_b[(F + i) * D + d] +
                            down_a[d * F + j] * down_b[d * F + i];
  const std::vector<std::int32_t> best = best_assignment(score, F);
  for (std::int64_t j = 0; j < F; ++j) neuron[best[j]] = static_cast<std::int32_t>(j);
}

void merge_experts(float* merged_gate_up, float* merged_down, const float* gate_up, const float* down,
                   const std::int32_t* count, std::int64_t M, std::int64_t D, std::int64_t F) {
  std::fill_n(merged_gate_up, 2 * F * D, 0.0f);
  std::fill_n(merged_down, D * F, 0.0f);
  const float total = static_cast<float>(std::accumulate(count, count + M, std::int64_t{0}));
  std::vector<std::int32_t> neuron(F);
  for (std::int64_t m = 0; m < M; ++m) {
    const float* its_gate_up = gate_up + m * 2 * F * D;
    const float* its_down = down + m * D * F;
    const float share = total > 0 ? static_cast<float>(count[m]) / total : 1.0f / static_cast<float>(M);
    align_neurons(neuron.data(), gate_up, down, its_gate_up, its_down, D, F);
    // A neuron is a row of gate, a row of up and a column of down: all three move together.
    for (std::int64_t j = 0; j < F; ++j)
      for (std::int64_t d = 0; d < D; ++d) {
        merged_gate_up[j * D + d] += share * its_gate_up[neuron[j] * D + d];
        merged_gate_up[(F + j) * D + d] += share * its_gate_up[(F + neuron[j]) * D + d];
        merged_down[d * F + j] += share * its_down[d * F + neuron[j]];
      }
  }
}
