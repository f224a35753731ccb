// What the table of versions takes from the .cu files. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/gemm/gemm.hpp"

namespace moe {

MOE_DEVICE_VERSION(Gemm<float>, gemm_tiled)
MOE_DEVICE_VERSION(Gemm<float>, gemm_register_tiled)
MOE_DEVICE_VERSION(Gemm<float>, gemm_mma)

}  // namespace moe
