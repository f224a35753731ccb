// What the table of versions takes from the .cu files. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/cross_entropy/cross_entropy.hpp"

namespace moe {

MOE_DEVICE_VERSION(CrossEntropy<float>, cross_entropy_naive)

}  // namespace moe
