// Experts whose neurons are moved about, and models with experts of that kind.
#pragma once

#include <algorithm>
#include <numeric>

#include "common/convert/fewer_experts.hpp"
#include "tests/nn/support.hpp"

namespace moe::testing {

inline ExpertWeights random_experts(std::int64_t E, std::int64_t D, std::int64_t F, std::uint64_t seed) {
  ExpertWeights w(E, D, F);
  w.gate_up = random_normal<double>(E * 2 * F * D, seed);
  w.down = random_normal<double>(E * D * F, seed + 1000);
  return w;
}

// 0..n-1 in an order of the seed's; seed 0: as they are.
inline std::vector<std::int32_t> shuffled(std::int64_t n, std::uint64_t seed) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  const auto key = random_normal<double>(n, seed);
  if (seed > 0) std::sort(order.begin(), order.end(), [&](int a, int b) { return key[a] < key[b]; });
  return order;
}

// Expert `to` becomes expert `from` of `source` with neuron order[j] at place j.
inline void place_neurons(ExpertWeights& w, std::int64_t to, const ExpertWeights& source, std::int64_t from,
                          const std::vector<std::int32_t>& order) {
  const std::int64_t D = w.D, F = w.F;
  for (std::int64_t j = 0; j < F; ++j)
    for (std::int64_t d = 0; d < D; ++d) {
      for (const std::int64_t half : {std::int64_t{0}, F})
        w.gate_up[(to * 2 * F + half + j) * D + d] = source.gate_up[(from * 2 * F + half + order[j]) * D + d];
      w.down[(to * D + d) * F + j] = source.down[(from * D + d) * F + order[j]];
    }
}
inline void permute_neurons(ExpertWeights& w, std::int64_t from, std::int64_t to,
                            const std::vector<std::int32_t>& order) {
  const ExpertWeights source = w;
  place_neurons(w, to, source, from, order);
}

// The sum of products of expert a's weights and b's, neuron order[j] of b at place j.
inline double product_of(const ExpertWeights& w, std::int64_t a, std::int64_t b,
                         const std::vector<std::int32_t>& order) {
  ExpertWeights moved = w;
  permute_neurons(moved, b, b, order);
  const std::int64_t up = 2 * w.F * w.D, down = w.D * w.F;
  return std::inner_product(w.gate_up.begin() + a * up, w.gate_up.begin() + (a + 1) * up,
                            moved.gate_up.begin() + b * up, 0.0) +
         std::inner_product(w.down.begin() + a * down, w.down.begin() + (a + 1) * down,
                            moved.down.begin() + b * down, 0.0);
}

}  // namespace moe::testing
