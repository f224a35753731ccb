#include "kernels/base/context.hpp"

#include <algorithm>

#include "kernels/base/cuda/runtime.hpp"

namespace moe {
namespace {

// The device as it is here. A GPU that runs older code has only what that code was compiled for: from PTX for 7.5 the kernels
// for tensor cores trap on a GPU that has them.
Device present(Device device) {
  if (device.kind == DeviceKind::cuda)
    device.sm = std::min(device.sm, cuda::gpu(device.index).code);
  else
    require_built_for(device.kind);
  return device;
}

}  // namespace

const char* name_of(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::cpu:
      return "cpu";
    case DeviceKind::emulated:
      return "emulated";
    case DeviceKind::checked:
      return "checked";
    case DeviceKind::cuda:
      return "cuda";
  }
  return "?";
}

bool built_for(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::cpu:
      return true;
    case DeviceKind::emulated:
#ifdef MOE_HAVE_EMULATED
      return true;
#else
      return false;
#endif
    case DeviceKind::checked:
#ifdef MOE_HAVE_CHECKED
      return true;
#else
      return false;
#endif
    case DeviceKind::cuda:
#ifdef MOE_HAVE_CUDA
      return true;
#else
      return false;
#endif
  }
  return false;
}

void require_built_for(DeviceKind kind) {
  if (!built_for(kind))
    throw UserError(ExitCode::missing, concat("this build has no ", name_of(kind), " device"),
                    "It needs Linux, on other processors than x86-64 also Boost.Context, and "
                    "-DMOE_EMULATED=ON -DMOE_CHECKED=ON when configured.");
}

Context::Context(Device wanted, int thread_count)
    : device(present(wanted)),
      stream(std::make_shared<Stream>(device)),
      threads(thread_count < 1 ? 1 : thread_count),
      allocator(make_allocator(device, stream)) {}

}  // namespace moe
