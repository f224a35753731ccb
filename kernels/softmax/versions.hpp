// What the table of versions takes from the .cu files. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/softmax/softmax.hpp"

namespace moe {

MOE_DEVICE_VERSION(Softmax<float>, softmax_naive)
MOE_DEVICE_VERSION(SoftmaxBackward<float>, softmax_backward_naive)

}  // namespace moe
