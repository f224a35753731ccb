// Operations on n independent elements, and sums over them.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"
#include "kernels/base/random.hpp"

namespace moe {

template <class T>
using Fill = void(Context&, T* y, double value, std::int64_t n);
template <class T>
using Add = void(Context&, T* y, const T* a, const T* b, std::int64_t n);  // y = a + b; y may be a or b
template <class T>
using ScaleBy = void(Context&, T* y, const T* x, const T* factor,
                     std::int64_t n);  // y = *factor · x; y may be x; free when *factor is 1 and y is x
template <class T>
using FillNormal = void(Context&, T* y, double deviation, const RngKey& key,
                        std::int64_t n);  // y[i] ~ N(0, deviation²)

// sum (1) = Σ x², written or added, in double whatever T is, chunk partials added in order.
template <class T>
using AddSquares = void(Context&, double* sum, const T* x, std::int64_t n, bool accumulate);

// y = x with `bits` (1 to the type's own) bits of mantissa behind the leading one: 7 for bf16, 3 as fp8 E4M3 has, but with the
// type's own range of exponents. To the nearest, ties to the even one; NaN stays. y may be x.
template <class T>
using RoundMantissa = void(Context&, T* y, const T* x, int bits, std::int64_t n);

template <class T>
extern Operation<Fill<T>> fill;
template <class T>
extern Operation<Add<T>> add;
template <class T>
extern Operation<ScaleBy<T>> scale_by;
template <class T>
extern Operation<FillNormal<T>> fill_normal;
template <class T>
extern Operation<AddSquares<T>> add_squares;
template <class T>
extern Operation<RoundMantissa<T>> round_mantissa;

}  // namespace moe
