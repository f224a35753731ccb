// Which devices the tests of this build can use on this machine.
#pragma once

#include <gtest/gtest.h>

#include <optional>

#include "kernels/base/context.hpp"
#include "kernels/base/cuda/runtime.hpp"

// First line of a test that is about a GPU alone: without one it is reported as skipped, not as passed.
#define MOE_SKIP_WITHOUT_GPU() \
  if (!::moe::testing::a_gpu()) GTEST_SKIP() << ::moe::gpus().problem

namespace moe::testing {

// The GPU that runs the CUDA rows; nothing where there is none. Asked once.
inline std::optional<Device> a_gpu() {
  static const std::optional<Device> found = []() -> std::optional<Device> {
    const GpuReport report = gpus();
    if (const Gpu* gpu = report.usable()) return Device{DeviceKind::cuda, gpu->index};
    return std::nullopt;
  }();
  return found;
}

// run(ctx) once on every device, the emulated one a second time with memory that is closed to the host.
template <class Run>
void each_device(Run&& run) {
  for (const DeviceKind kind : {DeviceKind::cpu, DeviceKind::emulated, DeviceKind::checked}) {
    if (!built_for(kind)) continue;
    SCOPED_TRACE(name_of(kind));
    Context ctx(Device{.kind = kind});
    run(ctx);
  }
  if (built_for(DeviceKind::emulated)) {
    SCOPED_TRACE("emulated, closed to the host");
    Context ctx(Device{.kind = DeviceKind::emulated});
    ctx.allocator = make_emulated_allocator(HostAccess::forbidden);
    run(ctx);
  }
  if (const auto gpu = a_gpu()) {
    SCOPED_TRACE("GPU");
    Context ctx(*gpu);
    run(ctx);
  }
}

}  // namespace moe::testing
