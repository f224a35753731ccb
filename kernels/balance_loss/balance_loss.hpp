// Router losses that need sums over tokens.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

// Load-balancing loss (Shazeer 2017; Switch, arXiv:2101.03961 eq. 4): E · Σ_e f_e·P_e with f_e = count_e / Σ count
// (so f is divided by K: perfect balance gives exactly 1 for any K) and P_e the mean of probability over tokens.
// count is a constant of the gradient: it comes from the choices before any capacity dropping.
// Of S groups of N/S tokens each (sequences), the mean of their losses; each group has its own counts. One group by default.
// loss (1); probability (N, E); count (S, E).
struct BalanceShape {
  std::int64_t N, E;
  std::int64_t S = 1;  // divides N
};
template <class T>
using BalanceLoss = void(Context&, T* loss, const T* probability, const std::int32_t* count,
                         const BalanceShape&);
// dprobability (N, E) = dloss[0] · E·f_e/N, f of the token's group; written or added.
template <class T>
using BalanceLossBackward = void(Context&, T* dprobability, const T* dloss, const std::int32_t* count,
                                 const BalanceShape&, bool accumulate);

// Router z-loss (ST-MoE, arXiv:2202.08906 eq. 5): mean of logsumexp². loss (1); logsumexp (N).
template <class T>
using ZLoss = void(Context&, T* loss, const T* logsumexp, std::int64_t N);
// dlogits (N, E) = dloss[0] · 2·logsumexp/N · probability, written or added. probability = softmax(logits).
template <class T>
using ZLossBackward = void(Context&, T* dlogits, const T* dloss, const T* logsumexp, const T* probability,
                           std::int64_t N, std::int64_t E, bool accumulate);

// Squared coefficient of variation (Shazeer 2017, eq. 7 and 11): loss (1) = variance / mean² of the column sums of x (N, E),
// 0 where they are all the same or sum to 0. sum (E) is kept for the gradient.
template <class T>
using SquaredVariation = void(Context&, T* loss, double* sum, const T* x, std::int64_t N, std::int64_t E);
// dx (N, E), written or added: the same for every row.
template <class T>
using SquaredVariationBackward = void(Context&, T* dx, const T* dloss, const double* sum, std::int64_t N,
                                      std::int64_t E, bool accumulate);

// Mean entropy of N distributions: loss (1) = -1/N · Σ p·ln p, probability (N, E); 0·ln 0 is 0.
template <class T>
using EntropyLoss = void(Context&, T* loss, const T* probability, std::int64_t N, std::int64_t E);
// dprobability (N, E) = -dloss[0]·(ln p + 1)/N, written or added; 0 where p is 0: a softmax multiplies it by p again.
template <class T>
using EntropyLossBackward = void(Context&, T* dprobability, const T* dloss, const T* probability,
                                 std::int64_t N, std::int64_t E, bool accumulate);

template <class T>
extern Operation<BalanceLoss<T>> balance_loss;
template <class T>
extern Operation<BalanceLossBackward<T>> balance_loss_backward;
template <class T>
extern Operation<SquaredVariation<T>> squared_variation;
template <class T>
extern Operation<SquaredVariationBackward<T>> squared_variation_backward;
template <class T>
extern Operation<EntropyLoss<T>> entropy_loss;
template <class T>
extern Operation<EntropyLossBackward<T>> entropy_loss_backward;
template <class T>
extern Operation<ZLoss<T>> z_loss;
template <class T>
extern Operation<ZLossBackward<T>> z_loss_backward;

}  // namespace moe
