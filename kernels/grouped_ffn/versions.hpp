// The rows of the tables, private to this folder.
#pragma once

#include "kernels/grouped_ffn/grouped_ffn.hpp"

namespace moe::detail {

template <class T>
void grouped_ffn_plain(Context&, T* y, T* hidden, const T* x, const FfnWeights<T>&,
                       const std::int32_t* offset, const FfnShape&);
template <class T>
void grouped_ffn_fused(Context&, T* y, T* hidden, const T* x, const FfnWeights<T>&,
                       const std::int32_t* offset, const FfnShape&);

template <class T>
void grouped_ffn_backward_plain(Context&, const FfnGradients<T>&, const T* dy, const T* x, T* hidden,
                                const FfnWeights<T>&, const std::int32_t* offset, const FfnShape&);
template <class T>
void grouped_ffn_backward_fused(Context&, const FfnGradients<T>&, const T* dy, const T* x, T* hidden,
                                const FfnWeights<T>&, const std::int32_t* offset, const FfnShape&);

}  // namespace moe::detail
