// A gate that chooses by being positive (ReMoE, arXiv:2412.14711), and the pressure that keeps it sparse.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

// Of x (n = N·E, element n·E + e): weight = max(x, 0), expert = e where x > 0, else -1. NaN is chosen, with weight NaN.
template <class T>
using ReluChoice = void(Context&, std::int32_t* expert, T* weight, const T* x, std::int64_t N,
                        std::int64_t E);
// dx (n) = dweight where chosen, else 0.
template <class T>
using ReluChoiceBackward = void(Context&, T* dx, const T* dweight, const std::int32_t* expert,
                                std::int64_t n);

// factor (1) = coefficient·Σ count / wanted: what makes a balance loss over shares of `count` (E) one over loads (eq. 8).
// 0 where nothing is wanted.
template <class T>
using LoadFactor = void(Context&, T* factor, const T* coefficient, const std::int32_t* count, double wanted,
                        std::int64_t E);

// The rule of eq. 7: coefficient (1) is multiplied by `step` if Σ count > wanted, divided by it if less; kept within
// 1e-12 .. 1e4, so that a router that cannot obey does not end in infinity.
template <class T>
using AdaptCoefficient = void(Context&, T* coefficient, const std::int32_t* count, double wanted, double step,
                              std::int64_t E);

template <class T>
extern Operation<ReluChoice<T>> relu_choice;
template <class T>
extern Operation<ReluChoiceBackward<T>> relu_choice_backward;
template <class T>
extern Operation<LoadFactor<T>> load_factor;
template <class T>
extern Operation<AdaptCoefficient<T>> adapt_coefficient;

}  // namespace moe
