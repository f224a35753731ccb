// What the tables of versions take from the .cu file. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/relu_gate/relu_gate.hpp"

namespace moe {

MOE_DEVICE_VERSION(ReluChoice<float>, relu_choice_naive)
MOE_DEVICE_VERSION(ReluChoiceBackward<float>, relu_choice_backward_naive)
MOE_DEVICE_VERSION(LoadFactor<float>, load_factor_naive)
MOE_DEVICE_VERSION(AdaptCoefficient<float>, adapt_coefficient_naive)

}  // namespace moe
