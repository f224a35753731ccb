// Finite differences, in f64, against the gradients that a tape computes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/autograd/tape.hpp"

namespace moe {

struct GradientCheck {
  // Largest |analytic - numeric| / (|analytic| + |numeric| + 1e-3·max|analytic| of its tensor).
  double worst = 0;
  std::string where;  // "input 1 [37]: analytic 0.1, numeric 0.2"
};

// Compares `analytic` (undefined: zeros) with central differences, step 1e-5, of `evaluate` as elements of x (f64) change:
// every element, or about `samples` evenly spread ones. Keeps the worst in `check`.
void compare_gradient(GradientCheck& check, const std::string& name, const Tensor& x, const Tensor& analytic,
                      const std::function<double()>& evaluate, std::int64_t samples);

// `function` builds a scalar from the inputs (f64; watched by the tape it gets) and must give the same value each call.
GradientCheck check_gradients(Context& ctx, const std::vector<Tensor>& inputs,
                              const std::function<Value(Tape&, const std::vector<Value>&)>& function,
                              std::int64_t samples = 200);

}  // namespace moe
