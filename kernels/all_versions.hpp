// All operations of kernels/ and their versions, as their tables have them (f32 results).
#pragma once

#include <string>
#include <vector>

#include "kernels/base/device.hpp"
#include "kernels/base/dtype.hpp"

namespace moe {

struct VersionRow {
  std::string operation, version;
  DeviceKind device;
  int min_sm;
  DType inputs;
};

// In the order of the tables: operations as in the .cpp, each from plain to fast.
std::vector<VersionRow> all_versions();

}  // namespace moe
