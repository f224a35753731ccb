#include "kernels/base/copy.hpp"

#include <cstring>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

void copy(Context& ctx, void* to, const void* from, std::size_t bytes) {
  MOE_CHECK(ctx.device.kind != DeviceKind::cuda, "this build has no CUDA");
  if (bytes > 0) std::memcpy(to, from, bytes);
}

}  // namespace

void copy_to_device(Context& ctx, void* device, const void* host, std::size_t bytes) {
  copy(ctx, device, host, bytes);
}

void copy_to_host(Context& ctx, void* host, const void* device, std::size_t bytes) {
  copy(ctx, host, device, bytes);
}

void copy_on_device(Context& ctx, void* to, const void* from, std::size_t bytes) {
  copy(ctx, to, from, bytes);
}

void synchronize(Context& ctx) {
  MOE_CHECK(ctx.device.kind != DeviceKind::cuda, "this build has no CUDA");
}

}  // namespace moe
