// What the table of versions takes from the .cu files. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/rms_norm/rms_norm.hpp"

namespace moe {

MOE_DEVICE_VERSION(RmsNorm<float>, rms_norm_naive)
MOE_DEVICE_VERSION(RmsNormBackward<float>, rms_norm_backward_naive)

}  // namespace moe
