// A device worker reads its own symbols and lines for the checked device's reports, then opens no file any more: before
// the answer's constructors, as functions in .preinit_array are the first that the C library calls.
#include "common/grade/worker/seal.hpp"
#include "kernels/simt/checked/elf.hpp"
#include "kernels/simt/checked/lines.hpp"

namespace moe::worker {
namespace {

void read_symbols_and_seal() {
  simt::program_symbols();
  simt::line_of(reinterpret_cast<const char*>(&read_symbols_and_seal) + 8);
  close_files();
}

__attribute__((section(".preinit_array"), used)) void (*const before_constructors)() = read_symbols_and_seal;

}  // namespace
}  // namespace moe::worker
