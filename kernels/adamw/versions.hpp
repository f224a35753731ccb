// What the table of versions takes from the .cu files. Private to this folder.
#pragma once

#include "kernels/adamw/adamw.hpp"
#include "kernels/base/backends.hpp"

namespace moe {

MOE_DEVICE_VERSION(AdamW<float>, adamw_naive)

}  // namespace moe
