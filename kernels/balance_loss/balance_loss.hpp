// Router losses that need sums over tokens.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

// Load-balancing loss (Shazeer 2017; Switch, arXiv:2101.03961 eq. 4): E · Σ_e f_e·P_e with f_e = count_e / Σ count
// (so f is divided by K: perfect balance gives exactly 1 for any K) and P_e the mean of probability over tokens.
// count is a constant of the gradient: it comes from the choices before any capacity dropping.
// loss (1); probability (N, E); count (E).
template <class T>
using BalanceLoss = void(Context&, T* loss, const T* probability, const std::int32_t* count, std::int64_t N,
                         std::int64_t E);
// dprobability (N, E) = dloss[0] · E·f_e/N, written or added.
template <class T>
using BalanceLossBackward = void(Context&, T* dprobability, const T* dloss, const std::int32_t* count,
                                 std::int64_t N, std::int64_t E, bool accumulate);

// Router z-loss (ST-MoE, arXiv:2202.08906 eq. 5): mean of logsumexp². loss (1); logsumexp (N).
template <class T>
using ZLoss = void(Context&, T* loss, const T* logsumexp, std::int64_t N);
// dlogits (N, E) = dloss[0] · 2·logsumexp/N · probability, written or added. probability = softmax(logits).
template <class T>
using ZLossBackward = void(Context&, T* dlogits, const T* dloss, const T* logsumexp, const T* probability,
                           std::int64_t N, std::int64_t E, bool accumulate);

template <class T>
extern Operation<BalanceLoss<T>> balance_loss;
template <class T>
extern Operation<BalanceLossBackward<T>> balance_loss_backward;
template <class T>
extern Operation<ZLoss<T>> z_loss;
template <class T>
extern Operation<ZLossBackward<T>> z_loss_backward;

}  // namespace moe
