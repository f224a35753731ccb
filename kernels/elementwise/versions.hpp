// What the table of versions takes from the .cu files. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/elementwise/elementwise.hpp"

namespace moe {

MOE_DEVICE_VERSION(Fill<float>, fill_float_naive)
MOE_DEVICE_VERSION(Fill<double>, fill_double_naive)
MOE_DEVICE_VERSION(Add<float>, add_naive)
MOE_DEVICE_VERSION(ScaleBy<float>, scale_by_naive)
MOE_DEVICE_VERSION(FillNormal<float>, fill_normal_naive)
MOE_DEVICE_VERSION(AddSquares<float>, add_squares_naive)
MOE_DEVICE_VERSION(RoundMantissa<float>, round_mantissa_naive)

}  // namespace moe
