// What the tables of versions say, for a reader.
#pragma once

#include <string_view>

#include "common/report/table.hpp"
#include "kernels/all_versions.hpp"

namespace moe {

// Rounds its operands to bf16 where the context asks for it.
bool takes_bf16(std::string_view operation);

// One row an operation: its versions on the CPU, and on a device. The same in every build that has the emulated device.
Table table_of_versions();

}  // namespace moe
