#include "common/autograd/gradient_check.hpp"

#include <algorithm>
#include <cmath>

namespace moe {
namespace {

constexpr double kStep = 1e-5;

double largest(const Tensor& t) {
  double most = 0;
  if (t.defined())
    for (const double x : values_of<double>(t)) most = std::max(most, std::abs(x));
  return most;
}

}  // namespace

void compare_gradient(GradientCheck& check, const std::string& name, const Tensor& x, const Tensor& analytic,
                      const std::function<double()>& evaluate, std::int64_t samples) {
  const double scale = largest(analytic);  // rounding in the function shows at the gradient's size
  double* value = x.data<double>();
  for (std::int64_t i = 0; i < x.numel(); i += std::max<std::int64_t>(1, x.numel() / samples)) {
    const double before = value[i];
    value[i] = before + kStep;
    const double above = evaluate();
    value[i] = before - kStep;
    const double below = evaluate();
    value[i] = before;
    const double numeric = (above - below) / (2 * kStep),
                 a = analytic.defined() ? analytic.data<double>()[i] : 0;
    const double error = std::abs(a - numeric) / (std::abs(a) + std::abs(numeric) + 1e-3 * scale + 1e-9);
    if (error <= check.worst) continue;  // NaN goes on
    check.worst = std::isnan(error) ? HUGE_VAL : error;
    check.where = concat(name, " [", i, "]: analytic ", a, ", numeric ", numeric);
  }
}

GradientCheck check_gradients(Context& ctx, const std::vector<Tensor>& inputs,
                              const std::function<Value(Tape&, const std::vector<Value>&)>& function,
                              std::int64_t samples) {
  const auto watch_all = [&](Tape& tape) {
    std::vector<Value> watched;
    for (const Tensor& t : inputs) watched.push_back(tape.watch(t));
    return watched;
  };
  const auto evaluate = [&] {
    Tape tape(ctx);
    return scalar_of(function(tape, watch_all(tape)).tensor);
  };
  Tape tape(ctx);
  const std::vector<Value> watched = watch_all(tape);
  const Tape::Root root{function(tape, watched)};
  tape.backward({&root, 1});

  GradientCheck check;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    compare_gradient(check, concat("input ", i), inputs[i], tape.gradient_of(watched[i]), evaluate, samples);
  return check;
}

}  // namespace moe
