// What to say when CUDA fails because of the machine or the build: a sentence, and the command that mends it. Plain text
// from plain numbers, so that it is tested without CUDA.
#pragma once

#include <optional>
#include <string>

namespace moe::cuda {

struct Advice {
  std::string what, remedy;
};

// What is known when something fails; "" and 0 where it is not.
struct Setting {
  std::string toolkit;        // "13.0": what this build was compiled with
  std::string driver;         // "12.4": newest CUDA that the driver supports
  std::string gpu;            // "Tesla T4"
  int sm = 0;                 // its compute capability × 10
  std::string architectures;  // "75,80,90": CMake's list, joined by commas
};

inline constexpr int kNoKernelImage = 209;  // cudaErrorNoKernelImageForDevice

// For a cudaError_t that is no fault of the program; nothing for all others.
std::optional<Advice> advice_for(int cuda_error, const Setting& setting);

// Which of `architectures` a GPU of this compute capability runs; 0: none. 80: machine code for 8.x, x >= 0, and PTX that
// newer ones compile; 80-real: without the PTX; 80-virtual: the PTX alone; 90a: on 9.0 only. As the driver chooses: the newest
// machine code, else the newest PTX. CMake's native, all and all-major are taken to suit: what they stood for is not known.
int code_for(const std::string& architectures, int sm);

std::string version_text(int version);  // 13000 -> "13.0"; 0 -> ""

}  // namespace moe::cuda
