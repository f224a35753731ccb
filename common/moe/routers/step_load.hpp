// Loads added up over the passes of an optimizer step: for what a rule moves once a step.
#pragma once

#include "common/tensor/tensor.hpp"

namespace moe {

struct StepLoad {
  Tensor count;             // (E) i32; undefined: no pass yet
  std::int64_t tokens = 0;  // in those passes

  void add(Context& ctx, const Tensor& more,
           std::int64_t more_tokens);  // keeps a sum of its own: others hold `more`
};

}  // namespace moe
