// What the table of versions takes from the .cu files. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/rows/rows.hpp"

namespace moe {

MOE_DEVICE_VERSION(GatherRows<float>, gather_rows_naive)
MOE_DEVICE_VERSION(GatherRowsBackward<float>, gather_rows_backward_naive)
MOE_DEVICE_VERSION(CombineRows<float>, combine_rows_naive)
MOE_DEVICE_VERSION(CombineRowsBackward<float>, combine_rows_backward_naive)

}  // namespace moe
