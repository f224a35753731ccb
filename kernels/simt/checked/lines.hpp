// From addresses of instructions to lines of source.
#pragma once

#include <string>

namespace moe::simt {

// "file:line" of the call that returns to `pc`: of the functions that are inlined there, the innermost whose file is a
// .cu or .cuh. "function+offset" where the program has no line numbers, the bare address where it has no symbols.
std::string line_of(const void* pc);

}  // namespace moe::simt
