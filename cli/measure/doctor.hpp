// What `moe doctor` looks at.
#pragma once

#include <string>
#include <vector>

namespace moe {

enum class State { fact, works, missing };

struct Finding {
  std::string what;  // "emulated GPU"
  State state = State::fact;
  std::string detail;  // "the .cu kernels on the CPU"
  std::string remedy;  // a command or a sentence; "" where nothing is to be done
  std::string command,
      gives;  // what it makes possible: "./moe demo --device emulated --quick", "the CUDA kernels, ..."
};

// Measures matrix products for some tenths of a second and asks the CUDA driver, if this build knows of CUDA. Never throws
// for what is missing.
std::vector<Finding> examine();

}  // namespace moe
