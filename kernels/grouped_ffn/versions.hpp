// The rows of the tables, private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/grouped_ffn/grouped_ffn.hpp"

namespace moe {

MOE_DEVICE_VERSION(GroupedFfn<float>, grouped_ffn_library)
MOE_DEVICE_VERSION(GroupedFfnBackward<float>, grouped_ffn_backward_library)
MOE_DEVICE_VERSION(GroupedFfn<float>, grouped_ffn_tiled)
MOE_DEVICE_VERSION(GroupedFfnBackward<float>, grouped_ffn_backward_tiled)
MOE_DEVICE_VERSION(GroupedFfn<float>, grouped_ffn_mma)
MOE_DEVICE_VERSION(GroupedFfnBackward<float>, grouped_ffn_backward_mma)

}  // namespace moe

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

GroupedFfn<float> grouped_ffn_bf16;
GroupedFfnBackward<float> grouped_ffn_backward_bf16;

}  // namespace moe::detail
