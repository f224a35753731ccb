#include "kernels/base/context.hpp"

namespace moe {

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

}  // namespace moe
