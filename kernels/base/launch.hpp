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

#include <source_location>

#include "kernels/base/cuda/check.hpp"

#define MOE_BACKEND kernels_cuda
#define MOE_DYNAMIC_SHARED(T, name)                           \
  extern __shared__ __align__(16) unsigned char moe_shared[]; \
  T* name = reinterpret_cast<T*>(moe_shared)

namespace moe::kernels_cuda {

// The context together with the line that launches.
struct LaunchContext {
  LaunchContext(Context& ctx_, std::source_location where_ = std::source_location::current())
      : ctx(ctx_), where(where_) {}
  Context& ctx;
  std::source_location where;
};

// Beyond 48 KiB a kernel has to ask for its dynamic shared memory.
constexpr std::size_t kSharedBytesUnasked = 48 << 10;

template <class... Parameters, class... Arguments>
void launch(LaunchContext at, void (*kernel)(Parameters...), dim3 grid, dim3 block, std::size_t shared_bytes,
            Arguments&&... arguments) {
  const auto check = [&](cudaError_t code) {
    if (code != cudaSuccess)
      cuda::fail(code, "launch", at.where.file_name(), static_cast<int>(at.where.line()));
  };
  check(cudaSetDevice(at.ctx.device.index));
  if (shared_bytes > kSharedBytesUnasked)
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shared_bytes)));
  kernel<<<grid, block, shared_bytes, static_cast<cudaStream_t>(at.ctx.stream->handle())>>>(
      static_cast<Parameters>(arguments)...);
  check(cudaGetLastError());
}

}  // namespace moe::kernels_cuda

#else

#include "kernels/simt/cuda.hpp"

#ifdef MOE_CHECKED_BACKEND
#define MOE_BACKEND kernels_checked
#else
#define MOE_BACKEND kernels_emulated
#endif
#define MOE_DYNAMIC_SHARED(T, name) T* name = reinterpret_cast<T*>(::moe::simt::dynamic_shared())

namespace moe::MOE_BACKEND {
using namespace simt;  // NOLINT: the toolkit's names, as a .cu file expects them
}

#endif

namespace moe::MOE_BACKEND {

// Blocks that cover n elements, `each` a block; n > 0.
inline unsigned blocks(std::int64_t n, std::int64_t each) {
  return static_cast<unsigned>((n + each - 1) / each);
}

}  // namespace moe::MOE_BACKEND
