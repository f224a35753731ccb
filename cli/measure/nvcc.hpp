// What nvcc and ptxas say about the kernels of a .cu file. No GPU is needed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace moe {

// One kernel, compiled for one compute capability.
struct KernelFacts {
  std::string kernel;                          // "mma_kernel<false, true>": without namespaces and parameters
  int sm = 0;                                  // compute capability × 10
  int registers = -1;                          // a thread
  int shared_bytes = 0;                        // static; what a launch asks for comes on top
  int stack_bytes = 0;                         // a thread's local arrays and calls
  int spilled_bytes = -1;                      // stores and loads together
  std::vector<std::string_view> instructions;  // those of kInstructions that its PTX contains
};

// A tensor-core file claims the ones it is about, in a line of its first comment: `// PTX: mma.sync, ldmatrix`.
inline constexpr std::string_view kInstructions[] = {"mma.sync", "ldmatrix", "cp.async"};
inline constexpr int kTensorCoreSm = 80;  // claims hold from here on; below it such a kernel is a trap

struct CompiledFile {
  std::string file;  // from the repository's root
  std::vector<KernelFacts> kernels;
  std::vector<std::string> claims;
  std::vector<std::string> faults;  // sentences, each begins with the file; empty: all is well
};

// The first program of this name in PATH; "" when there is none.
std::string program_in_path(const std::string& name);

// Path of nvcc: the environment's CUDACXX, or else in PATH, or else in /usr/local/cuda, as it is often installed; "" when there
// is none. find_nvcc throws UserError (missing) then.
std::string nvcc_path();
std::string find_nvcc();

std::string nvcc_version(const std::string& nvcc);  // "13.0.88"

// Compute capabilities that it compiles for, times ten.
std::vector<int> nvcc_capabilities(const std::string& nvcc);

// Compiles a file of the repository in the working directory for each compute capability, warnings as errors. Faults: it does
// not compile, a warning, no kernel, a spill, a claimed instruction that no kernel has, a file named *mma* that claims none.
CompiledFile compile(const std::string& nvcc, const std::string& file, const std::vector<int>& sms);

// The log of `nvcc -Xptxas -v`, in its order; instructions stay empty.
std::vector<KernelFacts> parse_ptxas(std::string_view log);

// The names of kInstructions in each kernel of a PTX text, in its order.
std::vector<std::pair<std::string, std::vector<std::string_view>>> parse_ptx(std::string_view ptx);

// "_ZN3moe12kernels_cuda10mma_kernelILb0EEEvPf" is mma_kernel<false>.
std::string kernel_name(const std::string& mangled);

}  // namespace moe
