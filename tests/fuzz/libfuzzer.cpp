// What libFuzzer calls. One program a target; the build names it.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const moe::fuzz::Target& target = moe::fuzz::find_target(MOE_FUZZ_TARGET);
  moe::fuzz::survives(target, {reinterpret_cast<const char*>(data), size});
  return 0;
}
