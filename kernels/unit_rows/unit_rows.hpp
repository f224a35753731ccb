// Rows of length one, and a learned temperature: what cosine routing needs (X-MoE, arXiv:2204.09179).
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

// y (R, C) = x·r, r (R) = 1 / sqrt(|x|² + 1e-12): a row of zeros stays one. Cost: one pass.
template <class T>
using UnitRows = void(Context&, T* y, T* r, const T* x, std::int64_t R, std::int64_t C);
// dx = r·(dy - y·(y·dy)).
template <class T>
using UnitRowsBackward = void(Context&, T* dx, const T* dy, const T* y, const T* r, std::int64_t R,
                              std::int64_t C);

// y (n) = x·exp(min(t, ln 100)), t (1): the logarithm of an inverse temperature, kept from growing without bound.
template <class T>
using Tempered = void(Context&, T* y, const T* x, const T* t, std::int64_t n);
// dx = dy·exp(min(t, ln 100)); dt (1) = Σ dy·y, 0 at the bound. One thread, or block, adds: for as many elements as experts
// have, not tokens.
template <class T>
using TemperedBackward = void(Context&, T* dx, T* dt, const T* dy, const T* y, const T* t, std::int64_t n);

template <class T>
extern Operation<UnitRows<T>> unit_rows;
template <class T>
extern Operation<UnitRowsBackward<T>> unit_rows_backward;
template <class T>
extern Operation<Tempered<T>> tempered;
template <class T>
extern Operation<TemperedBackward<T>> tempered_backward;

}  // namespace moe
