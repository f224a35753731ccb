// Finite differences, in f64, against the gradients that a tape computes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/autograd/tape.hpp"

namespace moe {

struct GradientCheck {
  double worst =
      0;  // largest |analytic - numeric| / (|analytic| + |numeric| + 1e-3·max|analytic| of the input)
  std::string where;  // "input 1 [37]: analytic 0.1, numeric 0.2"
};

// `function` builds a scalar from the inputs (f64; watched by the tape it gets) and must give the same value each call.
// Checks every element of every input, or about `samples` evenly spread ones of each. Step 1e-5, central differences.
GradientCheck check_gradients(Context& ctx, const std::vector<Tensor>& inputs,
                              const std::function<Value(Tape&, const std::vector<Value>&)>& function,
                              std::int64_t samples = 200);

}  // namespace moe
