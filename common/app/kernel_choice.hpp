// The flag --kernels: versions of operations by name, instead of the best.
#pragma once

#include <string>
#include <vector>

#include "kernels/base/context.hpp"

namespace moe {

// What help says of it.
inline constexpr const char* kKernelsHelp =
    "OPERATION=VERSION,...: take this version instead of the best (`moe bench kernels --list`); "
    "grouped_ffn=0_library is the "
    "library's grouped GEMM";

// "gemm=1_tiled,grouped_ffn=0_library", for Context::chosen. Throws UserError (usage) for an operation that is not there and a
// version that the device does not have.
std::vector<ChosenVersion> parse_kernel_choice(const std::string& text, const Device& device);

}  // namespace moe
