// The experts of one layer in the host's memory, in double, and how they are aligned and merged.
//
// A SwiGLU expert computes the same whatever the order of its hidden neurons. So two experts may be alike and their matrices
// not: before they are averaged, the neurons of one are put into the order of the other (MC-SMoE, arXiv:2310.01334, section 3.2;
// weight matching as in Git Re-Basin, arXiv:2209.04836).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/tensor/tensor.hpp"

namespace moe {

struct ExpertWeights {
  std::int64_t E = 0, D = 0, F = 0;
  std::vector<double> gate_up;  // (E, 2F, D): rows 0..F-1 of an expert gate, F..2F-1 up
  std::vector<double> down;     // (E, D, F)

  ExpertWeights() = default;
  ExpertWeights(std::int64_t experts, std::int64_t width, std::int64_t hidden);  // zeros
  ExpertWeights(const Tensor& gate_up, const Tensor& down);                      // read from any device
  void write(const Tensor& gate_up_to, const Tensor& down_to) const;             // of the same shapes
};

// neuron (F): the neuron of `expert` that is most like neuron j of `reference` stands at j. The permutation with the
// greatest sum of inner products of the neurons' 3·D weights (gate and up rows, down column), to within rounding.
// Cost: 3·F²·D, and an assignment of F to F.
std::vector<std::int32_t> aligned_neurons(const ExpertWeights& weights, std::int64_t reference,
                                          std::int64_t expert);

// (E, E) cosines of experts' weights, each pair with its neurons aligned: 1 for experts that compute the same in
// another order. Compare with cosine_similarity of the matrices as they stand (common/analysis/analysis.hpp).
std::vector<double> aligned_similarity(const ExpertWeights& weights);

// A partition of a layer's experts: each in exactly one group, the first of a group its reference.
using ExpertGroups = std::vector<std::vector<std::int64_t>>;

// What each member of a group counts for in its mean, by importance (E) >= 0 (activation frequency); all alike where the
// group's are all zero. They sum to 1.
std::vector<double> shares_of(const std::vector<std::int64_t>& group, std::span<const double> importance);

// One expert a group: the mean of its members, aligned to its reference and weighted by their shares. Throws Error where
// groups are no partition.
ExpertWeights merge_experts(const ExpertWeights& weights, const ExpertGroups& groups,
                            std::span<const double> importance);

// The experts listed, in that order.
ExpertWeights select_experts(const ExpertWeights& weights, const std::vector<std::int64_t>& kept);

}  // namespace moe
