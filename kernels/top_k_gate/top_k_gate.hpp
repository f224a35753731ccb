// Top-k of each row of router scores, as a gate (Shazeer 2017, arXiv:1701.06538; Mixtral, arXiv:2401.04088).
//
// Ties go to the lower expert. A number is always chosen before NaN; a row of NaN yields experts 0..K-1 with NaN
// weights. Experts of a row stand in order of falling score. 1 <= K <= E.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

struct TopKShape {
  std::int64_t N, E, K;
  bool
      renormalise;  // weights of a row divided by their sum; with K = 1 that sets them to 1 and stops the gradient
};

// expert (N, K); weight (N, K) = score of the chosen, renormalised or not. score (N, E). The gradient of the weights is
// weigh_choice_backward (kernels/choice), since those are the weights that weigh_choice gives to these experts.
template <class T>
using TopKGate = void(Context&, std::int32_t* expert, T* weight, const T* score, const TopKShape& shape);

template <class T>
extern Operation<TopKGate<T>> top_k_gate;

}  // namespace moe
