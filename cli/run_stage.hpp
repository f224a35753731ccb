// Stage programs are programs of their own, beside this one: running one replaces this process.
#pragma once

#include <span>
#include <string>

#include "cli/stages.hpp"

namespace moe {

// Replaces this process by the stage program; `arguments` reach it untouched. Throws UserError (missing) when
// it is not built.
[[noreturn]] void become_stage(const Stage& stage, std::span<char* const> arguments);

}  // namespace moe
