#include "common/autograd/gradient_check.hpp"

#include <algorithm>
#include <cmath>

namespace moe {
namespace {

constexpr double kStep = 1e-5;

}  // namespace

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
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor gradient = tape.gradient_of(watched[i]);
    double* x = inputs[i].data<double>();
    const std::int64_t n = inputs[i].numel(), stride = std::max<std::int64_t>(1, n / samples);
    double scale = 0;  // of this input's gradient: rounding in the function shows at its size
    for (std::int64_t j = 0; j < n && gradient.defined(); ++j)
      scale = std::max(scale, std::abs(gradient.data<double>()[j]));
    for (std::int64_t j = 0; j < n; j += stride) {
      const double before = x[j];
      x[j] = before + kStep;
      const double above = evaluate();
      x[j] = before - kStep;
      const double below = evaluate();
      x[j] = before;
      const double numeric = (above - below) / (2 * kStep),
                   analytic = gradient.defined() ? gradient.data<double>()[j] : 0;
      const double error =
          std::abs(analytic - numeric) / (std::abs(analytic) + std::abs(numeric) + 1e-3 * scale + 1e-9);
      if (!(error <= check.worst)) {
        check.worst = std::isnan(error) ? HUGE_VAL : error;
        check.where = concat("input ", i, " [", j, "]: analytic ", analytic, ", numeric ", numeric);
      }
    }
  }
  return check;
}

}  // namespace moe
