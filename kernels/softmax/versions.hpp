// The rows of the tables. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/softmax/softmax.hpp"

namespace moe {
namespace detail {

template <class T>
void softmax_plain(Context&, T* y, T* logsumexp, const T* x, std::int64_t R, std::int64_t C);
void softmax_lanes(Context&, float* y, float* logsumexp, const float* x, std::int64_t R, std::int64_t C);

}  // namespace detail

MOE_DEVICE_VERSION(Softmax<float>, softmax_naive)
MOE_DEVICE_VERSION(SoftmaxBackward<float>, softmax_backward_naive)

}  // namespace moe
