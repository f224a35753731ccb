#include "kernels/gemm/rounded_copy.hpp"

#include "kernels/base/bf16.hpp"
#include "kernels/base/parallel.hpp"

namespace moe::detail {

RoundedCopy::RoundedCopy(Context& ctx, const float* x, std::int64_t rows, std::int64_t columns,
                         std::int64_t ld)
    : memory_(ctx, rows * columns) {
  float* out = memory_.data();
  parallel_for(ctx, rows, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r)
      for (std::int64_t i = 0; i < columns; ++i) out[r * columns + i] = rounded_to_bf16(x[r * ld + i]);
  });
}

}  // namespace moe::detail
