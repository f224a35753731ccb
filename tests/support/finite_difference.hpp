// Gradients by central differences: the oracle of every backward pass.
#pragma once

#include <cstddef>
#include <vector>

namespace moe::testing {

// df/dx of a scalar function f(std::vector<double>) at x. The error is of order step² from the curve and 1e-16/step
// from rounding: about 1e-10 of f at the default step, so compare with 1e-7 or so.
template <class Function>
std::vector<double> finite_difference(Function&& f, std::vector<double> x, double step = 1e-5) {
  std::vector<double> gradient(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double at = x[i];
    x[i] = at + step;
    const double above = f(x);
    x[i] = at - step;
    const double below = f(x);
    x[i] = at;
    gradient[i] = (above - below) / (2 * step);
  }
  return gradient;
}

// Σ a·b: turns a vector-valued operation into a scalar function whose upstream gradient is b.
inline double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace moe::testing
