// What the table of versions takes from the .cu files. Private to this folder.
#pragma once

#include "kernels/base/backends.hpp"
#include "kernels/routing_plan/routing_plan.hpp"

namespace moe {

MOE_DEVICE_VERSION(Histogram, histogram_naive)
MOE_DEVICE_VERSION(SortByKey, sort_by_key_naive)
MOE_DEVICE_VERSION(SortByKey, sort_by_key_radix)
MOE_DEVICE_VERSION(LimitPerKey, limit_per_key_naive)
MOE_DEVICE_VERSION(LookUp, look_up_naive)

}  // namespace moe
