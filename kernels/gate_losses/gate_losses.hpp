// What the losses of a softmax router sum over tokens, in one pass: counts, the balance loss, the z-loss.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

struct GateLossShape {
  std::int64_t N, E, K;  // tokens, experts, choices of a token
};

// Of probability (N, E) and logsumexp (N), both of one softmax, and the choices expert (N, K), in one group:
//   count (E)    how often each expert was chosen; choices outside [0, E) are not counted (histogram, kernels/routing_plan)
//   balance (1)  E · Σ_e f_e·P_e, and z (1) the mean of logsumexp² (kernels/balance_loss, which also has the gradients)
// Cost: each operand read once.
template <class T>
using GateLosses = void(Context&, std::int32_t* count, T* balance, T* z, const T* probability,
                        const T* logsumexp, const std::int32_t* expert, const GateLossShape& shape);

template <class T>
extern Operation<GateLosses<T>> gate_losses;

}  // namespace moe
