// Arrays of an answer that is a CUDA kernel: memory of the checked device, closed to the host outside of launches.
#include <memory>

#include "common/grade/worker/frame.hpp"
#include "kernels/base/context.hpp"
#include "kernels/base/copy.hpp"
#include "kernels/simt/device_memory.hpp"

namespace moe::worker {
namespace {

std::unique_ptr<Context> context;

}  // namespace

void begin_call(std::uint32_t order) {
  context = std::make_unique<Context>(Device{.kind = DeviceKind::checked});
  context->allocator = make_emulated_allocator(HostAccess::forbidden);
  context->emulated_order = order;
}

std::string end_call() {
  return "";  // the checked device counts nothing yet
}

Context& device_context() {
  return *context;
}

Array make_array(const std::byte* whole, std::size_t bytes, grade::Role role) {
  Array array{nullptr, bytes};
  array.block = static_cast<std::byte*>(context->allocator->allocate(array.whole()));
  copy_to_device(*context, array.block, whole, array.whole());
  simt::memory_allocated(array.data(), bytes);  // the guards are out of bounds
  if (role != grade::Role::output) simt::memory_written(array.data(), bytes);
  return array;
}

void read_array(std::byte* whole, const Array& array) {
  copy_to_host(*context, whole, array.block, array.whole());
}

void release_array(const Array& array) {
  simt::memory_released(array.data());
  context->allocator->release(array.block, array.whole());
}

}  // namespace moe::worker
