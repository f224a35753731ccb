// Exercise merge_experts: `moe try merge_experts` tells how far it is. The task: README.md; stuck: `moe hint merge_experts`.
#include "contract.hpp"

void align_neurons(std::int32_t* neuron, const float* gate_up_a, const float* down_a, const float* gate_up_b,
                   const float* down_b, std::int64_t D, std::int64_t F) {
  // Your code: fill score (F, F), then call best_assignment. The names below are used so that the compiler does not warn.
  (void)neuron, (void)gate_up_a, (void)down_a, (void)gate_up_b, (void)down_b, (void)D, (void)F;
}

void merge_experts(float* merged_gate_up, float* merged_down, const float* gate_up, const float* down,
                   const std::int32_t* count, std::int64_t M, std::int64_t D, std::int64_t F) {
  // Your code.
  (void)merged_gate_up, (void)merged_down, (void)gate_up, (void)down, (void)count, (void)M, (void)D, (void)F;
}
