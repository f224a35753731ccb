// Sinkhorn balancing of scores (Sinkhorn 1964; for routing: S-BASE in Clark 2022, arXiv:2202.01169, section 3.2):
//
//   balanced = diag(u)·exp(score)·diag(v), with rows that sum to 1 and columns that sum to N/E
//
// the assignment of tokens to experts that is nearest to softmax and gives every expert the same share. Columns and rows
// are scaled in turn, `iterations` times: a fixed number, so that nobody waits to hear whether it has converged. The rows are
// scaled last: they sum to 1, the columns nearly to N/E. With scores of size 1, 20 iterations leave about 1e-4 of it.
//
// A row with NaN or without a finite maximum comes out as NaN and counts for no column. Scores more than about 100 below
// the greatest of their row count as -infinity (f32). Cost: iterations passes over (N, E), sums over tokens in double.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

// balanced (N, E) of score (N, E); balanced may be score. iterations >= 0; 0: softmax.
template <class T>
using Sinkhorn = void(Context&, T* balanced, const T* score, std::int64_t N, std::int64_t E,
                      std::int64_t iterations);

template <class T>
extern Operation<Sinkhorn<T>> sinkhorn;

}  // namespace moe
