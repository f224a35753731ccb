// Arrays of an answer for the CPU: each in a block of its own, so that what lies beside it is its guard zone.
#include <cstdlib>
#include <new>

#include "common/grade/worker/frame.hpp"

namespace moe::worker {

Array make_array(const std::byte* whole, std::size_t bytes, grade::Role) {
  Array array{nullptr, bytes};
  const std::size_t rounded = (array.whole() + 63) / 64 * 64;
  array.block = static_cast<std::byte*>(std::aligned_alloc(64, rounded));
  if (!array.block) throw std::bad_alloc();
  std::memcpy(array.block, whole, array.whole());
  return array;
}

void read_array(std::byte* whole, const Array& array) {
  std::memcpy(whole, array.block, array.whole());
}

void release_array(const Array& array) {
  std::free(array.block);
}

void begin_call(std::uint32_t) {}

std::string end_call() {
  return "";
}

Context& device_context() {
  throw Misuse("an exercise for the CPU has no Context");
}

}  // namespace moe::worker
