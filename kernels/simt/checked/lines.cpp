#include "kernels/simt/checked/lines.hpp"

#include <string_view>

#include "kernels/base/check.hpp"
#include "kernels/simt/checked/elf.hpp"

#ifdef MOE_HAVE_BACKTRACE
#include <backtrace.h>
#endif

namespace moe::simt {
namespace {

#ifdef MOE_HAVE_BACKTRACE

struct Search {
  std::string innermost, kernel;  // "file:line"; `kernel` of a .cu or .cuh
};

bool is_kernel_file(std::string_view file) {
  return file.ends_with(".cu") || file.ends_with(".cuh");
}

// Called for every function inlined at the address, from the innermost out.
int look_at(void* opaque, std::uintptr_t, const char* file, int line, const char*) {
  Search& search = *static_cast<Search*>(opaque);
  if (!file) return 0;
  const std::string place = concat(file, ":", line);
  if (search.innermost.empty()) search.innermost = place;
  if (!is_kernel_file(file)) return 0;
  search.kernel = place;
  return 1;  // enough
}

void ignore_error(void*, const char*, int) {}

std::string from_debug_information(std::uintptr_t address) {
  static backtrace_state* const state = backtrace_create_state(nullptr, 1, ignore_error, nullptr);
  Search search;
  if (state) backtrace_pcinfo(state, address, look_at, ignore_error, &search);
  return search.kernel.empty() ? search.innermost : search.kernel;
}

#else

std::string from_debug_information(std::uintptr_t) {
  return "";
}

#endif

std::string from_symbols(std::uintptr_t address) {
  const Symbol* function = holder(program_symbols().functions, address - load_bias());
  if (!function) return concat("address 0x", std::hex, address);
  return concat(demangled(function->name), "+0x", std::hex, address - load_bias() - function->begin);
}

}  // namespace

std::string line_of(const void* pc) {
  const std::uintptr_t call = reinterpret_cast<std::uintptr_t>(pc) - 1;
  const std::string line = from_debug_information(call);
  return line.empty() ? from_symbols(call) : line;
}

}  // namespace moe::simt
