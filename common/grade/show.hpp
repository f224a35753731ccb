// A verdict as a learner reads it: 80 columns, colours where the terminal has them.
#pragma once

#include <string>

#include "common/app/terminal.hpp"
#include "common/grade/verdict.hpp"

namespace moe::grade {

// A line a check, then what went wrong in the first one that failed, or in every one. `file`: the answer's path as the
// learner knows it; the compiler's lines name it.
struct ShowOptions {
  ColourMode colour = ColourMode::none;
  bool every_failure = false;
  std::string file{};
};
std::string show(const Verdict& verdict, const ShowOptions& options);

// Paragraphs in lines of at most 80 columns; lines that begin with a space, a bar or a fence stay as they are.
std::string wrap_paragraphs(const std::string& text);

}  // namespace moe::grade
