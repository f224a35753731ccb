// What the table of versions takes from the .cu files. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/top_k_gate/top_k_gate.hpp"

namespace moe {

MOE_DEVICE_VERSION(TopKGate<float>, top_k_gate_naive)

}  // namespace moe
