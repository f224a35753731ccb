// Several experts merged into one. README.md says what these must do.
#pragma once

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

// neuron (F) out: the neuron of expert b that belongs to place j, so that b resembles a most.
void align_neurons(std::int32_t* neuron,
                   const float* gate_up_a,  // (2F, D) rows 0..F-1 gate, F..2F-1 up
                   const float* down_a,     // (D, F)
                   const float* gate_up_b,  // (2F, D)
                   const float* down_b,     // (D, F)
                   std::int64_t D, std::int64_t F);

// The mean of M experts, aligned to expert 0 and weighted by count.
void merge_experts(float* merged_gate_up,      // (2F, D) out
                   float* merged_down,         // (D, F) out
                   const float* gate_up,       // (M, 2F, D)
                   const float* down,          // (M, D, F)
                   const std::int32_t* count,  // (M) tokens that each expert got
                   std::int64_t M, std::int64_t D, std::int64_t F);

// A gift: item[j] for every place j, each item once, so that the sum of score[j*F + item[j]] is the greatest possible.
// The Hungarian method (Kuhn 1955) with shortest paths, O(F³). You need not read it.
inline std::vector<std::int32_t> best_assignment(const std::vector<double>& score /*(F, F)*/,
                                                 std::int64_t F) {
  if (score.size() != static_cast<std::size_t>(F * F))
    throw std::invalid_argument("best_assignment: score must hold F*F numbers");
  constexpr double kFar = std::numeric_limits<double>::infinity();
  constexpr std::int64_t kNobody = -1;
  std::vector<std::int64_t> place_of(F, kNobody);               // of an item
  std::vector<double> place_value(F, 0.0), item_value(F, 0.0);  // prices that keep losses >= 0
  for (std::int64_t newcomer = 0; newcomer < F; ++newcomer) {
    std::vector<double> distance(F, kFar);         // of items, from the newcomer
    std::vector<std::int64_t> before(F, kNobody);  // the item on the way to an item
    std::vector<bool> reached(F, false);
    std::int64_t place = newcomer, item = kNobody;
    double so_far = 0;
    while (place != kNobody) {
      std::int64_t next = kNobody;
      for (std::int64_t i = 0; i < F; ++i) {
        if (reached[i]) continue;
        const double loss = place_value[place] + item_value[i] - score[place * F + i];
        if (so_far + loss < distance[i]) distance[i] = so_far + loss, before[i] = item;
        if (next == kNobody || distance[i] < distance[next]) next = i;
      }
      if (next == kNobody || !(distance[next] < kFar))
        throw std::invalid_argument("best_assignment: a score is not a finite number");
      item = next, so_far = distance[next], reached[next] = true, place = place_of[next];
    }
    place_value[newcomer] -= so_far;
    for (std::int64_t i = 0; i < F; ++i) {
      if (!reached[i]) continue;
      item_value[i] += so_far - distance[i];
      if (place_of[i] != kNobody) place_value[place_of[i]] -= so_far - distance[i];
    }
    // Everybody on the way moves on by one item, and the newcomer takes the first.
    for (; before[item] != kNobody; item = before[item]) place_of[item] = place_of[before[item]];
    place_of[item] = newcomer;
  }
  std::vector<std::int32_t> result(F);
  for (std::int64_t i = 0; i < F; ++i) result[place_of[i]] = static_cast<std::int32_t>(i);
  return result;
}
