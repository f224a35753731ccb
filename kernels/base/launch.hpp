// What every .cu file includes, and how it starts kernels: one source, several backends.
//
//   namespace moe::MOE_BACKEND {
//   __global__ void double_all(float* x, std::int64_t n) { ... }
//   void twice(Context& ctx, float* x, std::int64_t n) {
//     launch(ctx, double_all, blocks(n, 256), 256, 0, x, n);   // grid, block, bytes of dynamic shared memory
//   }
//   }
//
// Each backend has a namespace of its own, so that one program can hold several of them. A launch of no blocks is an
// error, as in CUDA: a launcher returns before it when there is nothing to do. Dynamic shared memory is named by
// MOE_DYNAMIC_SHARED(T, name): T* name, aligned to 16 bytes.
#pragma once

#include <cstdint>

#include "kernels/base/check.hpp"
#include "kernels/base/context.hpp"

#if defined(__CUDACC__)

#define MOE_BACKEND kernels_cuda
#define MOE_DYNAMIC_SHARED(T, name)                           \
  extern __shared__ __align__(16) unsigned char moe_shared[]; \
  T* name = reinterpret_cast<T*>(moe_shared)

namespace moe::kernels_cuda {

template <class... Parameters, class... Arguments>
void launch(Context& ctx, void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
            Arguments&&... arguments) {
  kernel<<<grid, block, shared_bytes, static_cast<cudaStream_t>(ctx.stream)>>>(
      static_cast<Parameters>(arguments)...);
  const cudaError_t error = cudaGetLastError();
  MOE_CHECK(error == cudaSuccess, "launch: ", cudaGetErrorString(error));
}

}  // namespace moe::kernels_cuda

#else

#include "kernels/simt/cuda.hpp"

#define MOE_BACKEND kernels_emulated
#define MOE_DYNAMIC_SHARED(T, name) T* name = reinterpret_cast<T*>(::moe::simt::here->block->shared())

namespace moe::kernels_emulated {
using namespace simt;  // NOLINT: the toolkit's names, as a .cu file expects them
}

#endif

namespace moe::MOE_BACKEND {

// Blocks that cover n elements, `each` a block; n > 0.
inline unsigned blocks(std::int64_t n, std::int64_t each) {
  return static_cast<unsigned>((n + each - 1) / each);
}

}  // namespace moe::MOE_BACKEND
