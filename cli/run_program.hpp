// Programs of their own, beside `moe`: stages and parts of `moe`. Running one replaces this process.
#pragma once

#include <span>
#include <string_view>

namespace moe {

// Replaces this process by bin/PROGRAM; `arguments` reach it untouched. Throws UserError (missing) when it is not built, with
// `launcher`, the command line that builds and runs it, as the remedy.
[[noreturn]] void become_program(std::string_view program, std::string_view launcher,
                                 std::span<char* const> arguments);

}  // namespace moe
