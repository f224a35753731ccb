#include "common/train/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "kernels/elementwise/elementwise.hpp"

namespace moe {

Optimizer::Optimizer(Context& ctx, const AdamWSettings& settings,
                     const std::function<void(const ParameterVisitor&)>& visit_all)
    : ctx_(ctx), settings_(settings), squared_norm_(Tensor::zeros(ctx, DType::f64, {1})) {
  visit_all([&](const std::string& name, Parameter& p) {
    const auto zeros = [&] { return Tensor::zeros(ctx, p.value.dtype(), p.value.shape()); };
    items_.push_back({name, &p, zeros(), zeros()});
  });
}

void Optimizer::step(std::int64_t step, double learning_rate) {
  double* norm = squared_norm_.data<double>();
  bool any = false;
  for (const Item& item : items_) {
    if (!item.parameter->has_grad) continue;
    dispatch(item.m.dtype(), [&]<class T>(T) {
      add_squares<T>(ctx_, norm, item.parameter->grad.data<T>(), item.m.numel(), std::exchange(any, true));
    });
  }
  if (!any) fill<double>(ctx_, norm, 0, 1);

  for (Item& item : items_) {
    Parameter& p = *item.parameter;
    if (p.after_step) p.after_step(ctx_);
    if (!p.has_grad) continue;
    AdamWSettings s = settings_;
    s.learning_rate = learning_rate;
    s.step = step;
    if (!p.decay) s.weight_decay = 0;
    dispatch(item.m.dtype(), [&]<class T>(T) {
      adamw<T>(ctx_, p.value.data<T>(), item.m.data<T>(), item.v.data<T>(), p.grad.data<T>(), norm, s,
               p.value.numel());
    });
    p.has_grad = false;
  }
}

double Optimizer::gradient_norm() const {
  return std::sqrt(scalar_of(squared_norm_));
}

double warmup_cosine(std::int64_t step, std::int64_t total, std::int64_t warmup, double peak,
                     double final_fraction) {
  if (step < warmup) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup);
  const double span = static_cast<double>(std::max<std::int64_t>(1, total - warmup));
  const double done = std::min(1.0, static_cast<double>(step - warmup) / span);
  return peak * (final_fraction + (1 - final_fraction) * 0.5 * (1 + std::cos(std::numbers::pi * done)));
}

}  // namespace moe
