// The symbols of the running program, read from its file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace moe::simt {

struct Symbol {
  std::uintptr_t
      begin;  // as in the file: an address before relocation, or an offset into thread-local storage
  std::size_t bytes;
  std::string name;  // mangled
};

struct Symbols {
  std::vector<Symbol> functions,
      shared;  // shared: static __shared__ variables of checked kernels. Both by address
};

// Read once, when first asked for; empty where the program is stripped.
const Symbols& program_symbols();

// The one of `symbols` that holds `address`, or null.
const Symbol* holder(const std::vector<Symbol>& symbols, std::uintptr_t address);

std::string demangled(const std::string& name);

// Where the program was loaded: what to add to a symbol's address.
std::uintptr_t load_bias();
// The calling thread's storage of the program's thread-local variables.
std::uintptr_t thread_storage();
// Whether the program's file maps `address` without leave to write.
bool is_constant(std::uintptr_t address);

}  // namespace moe::simt
