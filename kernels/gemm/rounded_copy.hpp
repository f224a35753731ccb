// What the CPU's bf16 rows multiply: an f32 copy whose numbers are rounded to bf16. The definition that the tensor cores are
// held against, not a fast way.
#pragma once

#include <cstdint>

#include "kernels/base/context.hpp"

namespace moe::detail {

class RoundedCopy {
 public:
  // Of x (rows, columns), whose rows stand ld apart; dense.
  RoundedCopy(Context& ctx, const float* x, std::int64_t rows, std::int64_t columns, std::int64_t ld);
  const float* data() { return memory_.data(); }

 private:
  Scratch<float> memory_;
};

}  // namespace moe::detail
