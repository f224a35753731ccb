// Another program as a function: text in, text out.
#pragma once

#include <string>
#include <vector>

namespace moe {

struct ProgramResult {
  bool found = false;  // false: no such program on the PATH; the rest is empty
  int status = -1;     // exit status; 128 + signal when it was killed
  std::string output, errors;
};

// Runs words[0] with `input` on its standard input. Kills it after `seconds`. Throws Error when the system has no
// process or pipe to give.
ProgramResult run_program(const std::vector<std::string>& words, const std::string& input,
                          double seconds = 60);

}  // namespace moe
