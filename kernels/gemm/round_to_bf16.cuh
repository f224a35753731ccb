// f32 operands into the form that the tensor core kernels copy from: bf16, rows padded with zeros to a multiple of 8 so that
// each begins on 16 bytes, as cp.async asks. cp.async moves bytes and cannot convert; this costs one pass over the
// operand, 6 bytes a number, beside the 2 of every later read.
#pragma once

#include "kernels/base/bf16.hpp"
#include "kernels/base/launch.hpp"

namespace moe::MOE_BACKEND {

// Of a row of `columns` numbers.
inline std::int64_t padded(std::int64_t columns) {
  return (columns + 7) / 8 * 8;
}

// A matrix (rows, ld) in this form; kernels move it on to their tile. Rows beyond `rows` are taken for zeros.
struct HalfOperand {
  const Bf16* data;
  std::int64_t ld, rows;
};

// out (rows, padded(columns)) from in (rows, columns), whose rows stand ld apart. With `limit`, a number in device memory,
// rows from *limit on are neither read nor written.
void round_to_bf16(Context& ctx, Bf16* out, const float* in, std::int64_t rows, std::int64_t columns,
                   std::int64_t ld, const std::int32_t* limit = nullptr);

// A rounded operand in scratch memory.
class Rounded {
 public:
  Rounded(Context& ctx, const float* in, std::int64_t rows, std::int64_t columns, std::int64_t ld,
          const std::int32_t* limit = nullptr)
      : memory_(ctx, rows * padded(columns)), operand_{memory_.data(), padded(columns), rows} {
    round_to_bf16(ctx, memory_.data(), in, rows, columns, ld, limit);
  }
  operator HalfOperand() const { return operand_; }

 private:
  Scratch<Bf16> memory_;
  HalfOperand operand_;
};

}  // namespace moe::MOE_BACKEND
