// What the table of versions takes from the .cu file. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/sinkhorn/sinkhorn.hpp"

namespace moe {

MOE_DEVICE_VERSION(Sinkhorn<float>, sinkhorn_naive)

}  // namespace moe
