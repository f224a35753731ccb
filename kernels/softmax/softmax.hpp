// Softmax over each row: y (R, C) = exp(x - max) / sum. A row with NaN comes out as NaN. Cost: one pass, 8 bytes an f32.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

// logsumexp (R) = log Σ exp(x) of each row; may be null. y may be x.
template <class T>
using Softmax = void(Context&, T* y, T* logsumexp, const T* x, std::int64_t R, std::int64_t C);

// dx = y ⊙ (dy - Σ_c dy·y), or added to dx. dx may be dy when not accumulating.
template <class T>
using SoftmaxBackward = void(Context&, T* dx, const T* dy, const T* y, std::int64_t R, std::int64_t C,
                             bool accumulate);

template <class T>
extern Operation<Softmax<T>> softmax;
template <class T>
extern Operation<SoftmaxBackward<T>> softmax_backward;

}  // namespace moe
