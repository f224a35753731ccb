// The flag --device of every program here.
#pragma once

#include <functional>
#include <string>

#include "kernels/base/cuda/runtime.hpp"
#include "kernels/base/device.hpp"

namespace moe {

// What help says of it.
inline constexpr const char* kDeviceHelp = "auto, cpu, cuda, cuda:N, emulated or checked";

struct DeviceChoice {
  Device device;
  std::string
      why;  // one line for the log where auto chose: "NVIDIA H100 80GB HBM3", "no GPU: this build has ..."
};

// auto takes the first GPU that runs this build's kernels, else the CPU, and says why. `find_gpus` is called for auto and
// cuda only: with cpu or an emulated device no CUDA call is made. Throws UserError: usage (2) for another text, missing (3)
// for a device that this machine or this build does not have.
DeviceChoice choose_device(const std::string& text, const std::function<GpuReport()>& find_gpus = gpus);

}  // namespace moe
