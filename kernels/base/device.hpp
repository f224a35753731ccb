// Which device: where memory lies and where kernels run.
#pragma once

#include <cstdint>

namespace moe {

// emulated: the .cu files on the CPU (kernels/simt); checked: the same with every access watched.
enum class DeviceKind : std::uint8_t { cpu, emulated, checked, cuda };
const char* name_of(DeviceKind kind);

struct Device {
  DeviceKind kind = DeviceKind::cpu;
  int index = 0;  // which GPU
  int sm = 1000;  // compute capability × 10; rows that need more are passed over
};

}  // namespace moe
