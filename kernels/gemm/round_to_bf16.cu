#include "kernels/gemm/round_to_bf16.cuh"

namespace moe::MOE_BACKEND {
namespace {

constexpr int kThreads = 128;
constexpr int kEach = 8;  // numbers a thread: one store of 16 bytes

struct alignas(16) Eight {
  Bf16 x[kEach];
};

// Zeros beyond the row's last. Two vectors where they fit and are aligned: one by one, each of eight requests of a warp would
// touch the 32 sectors that all of them share.
__device__ void load_eight(float (&to)[kEach], const float* from, std::int64_t left) {
  if (left >= kEach && reinterpret_cast<std::uintptr_t>(from) % sizeof(float4) == 0) {
    const auto* vectors = reinterpret_cast<const float4*>(from);
    const float4 low = vectors[0], high = vectors[1];
    to[0] = low.x, to[1] = low.y, to[2] = low.z, to[3] = low.w;
    to[4] = high.x, to[5] = high.y, to[6] = high.z, to[7] = high.w;
    return;
  }
  MOE_UNROLL
  for (int j = 0; j < kEach; ++j) to[j] = j < left ? from[j] : 0.f;
}

}  // namespace

__global__ void __launch_bounds__(kThreads)
    round_kernel(Bf16* __restrict__ out, const float* __restrict__ in, std::int64_t rows,
                 std::int64_t columns, std::int64_t ld, const std::int32_t* __restrict__ limit) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x,
                     pieces = (columns + kEach - 1) / kEach;
  const std::int64_t row = i / pieces, column = i % pieces * kEach;
  if (row >= rows || (limit && row >= *limit)) return;
  float from[kEach];
  load_eight(from, in + row * ld + column, columns - column);
  Eight rounded;
  MOE_UNROLL
  for (int j = 0; j < kEach; ++j) rounded.x[j] = to_bf16(from[j]);
  *reinterpret_cast<Eight*>(out + i * kEach) = rounded;
}

void round_to_bf16(Context& ctx, Bf16* out, const float* in, std::int64_t rows, std::int64_t columns,
                   std::int64_t ld, const std::int32_t* limit) {
  const std::int64_t pieces = rows * padded(columns) / kEach;
  if (pieces == 0) return;
  launch(ctx, round_kernel, blocks(pieces, kThreads), kThreads, 0, out, in, rows, columns, ld, limit);
}

}  // namespace moe::MOE_BACKEND
