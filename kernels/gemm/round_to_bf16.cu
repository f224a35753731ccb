#include "kernels/gemm/round_to_bf16.cuh"

namespace moe::MOE_BACKEND {
namespace {

constexpr int kThreads = 128;
constexpr int kEach = 8;  // numbers a thread: one store of 16 bytes

struct alignas(16) Eight {
  Bf16 x[kEach];
};

}  // namespace

__global__ void __launch_bounds__(kThreads)
    round_kernel(Bf16* __restrict__ out, const float* __restrict__ in, std::int64_t rows,
                 std::int64_t columns, std::int64_t ld, const std::int32_t* __restrict__ limit) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x,
                     pieces = (columns + kEach - 1) / kEach;
  const std::int64_t row = i / pieces, column = i % pieces * kEach;
  if (row >= rows || (limit && row >= *limit)) return;
  const float* from = in + row * ld + column;
  Eight rounded;
  MOE_UNROLL
  for (int j = 0; j < kEach; ++j) rounded.x[j] = to_bf16(column + j < columns ? from[j] : 0.f);
  *reinterpret_cast<Eight*>(out + i * kEach) = rounded;
}

void round_to_bf16(Context& ctx, Bf16* out, const float* in, std::int64_t rows, std::int64_t columns,
                   std::int64_t ld, const std::int32_t* limit) {
  const std::int64_t pieces = rows * padded(columns) / kEach;
  if (pieces == 0) return;
  launch(ctx, round_kernel, blocks(pieces, kThreads), kThreads, 0, out, in, rows, columns, ld, limit);
}

}  // namespace moe::MOE_BACKEND
