// CUDA_CHECK: MOE_CHECK's kin for calls of the CUDA runtime. Only where CUDA's headers are.
#pragma once

#include <cuda_runtime_api.h>

namespace moe::cuda {

// UserError with advice where the machine or the build is at fault (kernels/base/cuda/advice.hpp), else Error with
// expression, CUDA's name for the code, file and line.
[[noreturn]] void fail(cudaError_t code, const char* expression, const char* file, int line);

}  // namespace moe::cuda

// CUDA_CHECK(cudaStreamSynchronize(stream));
#define CUDA_CHECK(expression)                                              \
  do {                                                                      \
    if (const cudaError_t moe_code = (expression); moe_code != cudaSuccess) \
      ::moe::cuda::fail(moe_code, #expression, __FILE__, __LINE__);         \
  } while (false)
