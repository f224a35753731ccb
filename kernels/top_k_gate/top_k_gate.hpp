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

// expert (N, K); weight (N, K) = score of the chosen, renormalised or not. score (N, E).
template <class T>
using TopKGate = void(Context&, std::int32_t* expert, T* weight, const T* score, const TopKShape& shape);

// dscore (N, E) is written: zero where not chosen.
template <class T>
using TopKGateBackward = void(Context&, T* dscore, const T* dweight /*(N, K)*/, const T* score,
                              const std::int32_t* expert, const TopKShape& shape);

template <class T>
extern Operation<TopKGate<T>> top_k_gate;
template <class T>
extern Operation<TopKGateBackward<T>> top_k_gate_backward;

}  // namespace moe
