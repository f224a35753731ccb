// RMSNorm (Zhang & Sennrich 2019, arXiv:1910.07467): y = w ⊙ x / sqrt(mean(x²) + epsilon), row by row.
#pragma once

#include <cstdint>

#include "kernels/base/operation.hpp"

namespace moe {

// y (N, D), may be x; inverse_rms (N) is kept for the backward pass, may be null. x (N, D), w (D). Rows of x and y begin ld
// elements apart (D <= ld): a range of columns of a wider matrix is normalised where it stands.
template <class T>
using RmsNorm = void(Context&, T* y, T* inverse_rms, const T* x, const T* w, std::int64_t N, std::int64_t D,
                     std::int64_t ld, double epsilon);

// dx (N, D) is written; dw (D) is written, or added to when accumulate_dw. Rows of dx, dy and x begin ld elements apart.
template <class T>
using RmsNormBackward = void(Context&, T* dx, T* dw, const T* dy, const T* x, const T* w,
                             const T* inverse_rms, std::int64_t N, std::int64_t D, std::int64_t ld,
                             bool accumulate_dw);

template <class T>
extern Operation<RmsNorm<T>> rms_norm;
template <class T>
extern Operation<RmsNormBackward<T>> rms_norm_backward;

}  // namespace moe
