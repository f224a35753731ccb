// What the tables of versions take from the .cu file. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/unit_rows/unit_rows.hpp"

namespace moe {

MOE_DEVICE_VERSION(UnitRows<float>, unit_rows_naive)
MOE_DEVICE_VERSION(UnitRowsBackward<float>, unit_rows_backward_naive)
MOE_DEVICE_VERSION(Tempered<float>, tempered_naive)
MOE_DEVICE_VERSION(TemperedBackward<float>, tempered_backward_naive)

}  // namespace moe
