// What the table of versions takes from the .cu files. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/rope/rope.hpp"

namespace moe {

MOE_DEVICE_VERSION(Rope<float>, rope_naive)

}  // namespace moe
