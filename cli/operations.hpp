// All operations of kernels/ and their versions, as their tables have them (f32 results).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/report/table.hpp"
#include "kernels/base/device.hpp"
#include "kernels/base/dtype.hpp"

namespace moe {

struct VersionRow {
  std::string operation, version;
  DeviceKind device;
  int min_sm;
  DType inputs;
};

// In the order of the tables: operations as below in the .cpp, each from plain to fast.
std::vector<VersionRow> all_versions();

// Rounds its operands to bf16 where the context asks for it.
bool takes_bf16(std::string_view operation);

// One row an operation: its versions on the CPU, and on a device. The same in every build that has the emulated device.
Table table_of_versions();

}  // namespace moe
