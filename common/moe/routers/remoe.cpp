#include "common/moe/routers/remoe.hpp"

#include <utility>

#include "common/moe/routers/router_ops.hpp"
#include "common/moe/routers/step_load.hpp"
#include "kernels/elementwise/elementwise.hpp"
#include "kernels/relu_gate/relu_gate.hpp"

namespace moe {
namespace {

constexpr double kFirstLambda = 1e-8;

std::pair<Tensor, Value> relu(ForwardContext& f, const Value& x) {
  const std::int64_t N = x.tensor.rows(), E = x.tensor.size(-1);
  const Tensor expert = Tensor::empty(f.ctx, DType::i32, {N, E}),
               weight = Tensor::empty(f.ctx, x.tensor.dtype(), {N, E});
  dispatch(weight.dtype(), [&]<class T>(T) {
    relu_choice<T>(f.ctx, expert.data<std::int32_t>(), weight.data<T>(), x.tensor.data<T>(), N, E);
  });
  if (!f.tape) return {expert, weight};
  return {expert, f.tape->record({x}, weight, [=, dtype = weight.dtype()](Gradients& g) {
            const Tensor dx = Tensor::empty(g.ctx, dtype, {N, E});
            dispatch(dtype, [&]<class T>(T) {
              relu_choice_backward<T>(g.ctx, dx.data<T>(), g.of_output().data<T>(),
                                      expert.data<std::int32_t>(), N * E);
            });
            g.give(0, dx);
          })};
}

// x (1) times a factor (1) that gets no gradient.
Value times(ForwardContext& f, const Value& x, const Tensor& factor) {
  const auto scaled = [factor](Context& ctx, const Tensor& from) {
    const Tensor y = Tensor::empty(ctx, from.dtype(), from.shape());
    dispatch(y.dtype(),
             [&]<class T>(T) { scale_by<T>(ctx, y.data<T>(), from.data<T>(), factor.data<T>(), y.numel()); });
    return y;
  };
  const Tensor y = scaled(f.ctx, x.tensor);
  if (!f.tape) return y;
  return f.tape->record({x}, y, [scaled](Gradients& g) { g.give(0, scaled(g.ctx, g.of_output())); });
}

class ReMoe final : public Router {
 public:
  ReMoe(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config),
        weight_(make_parameter(ctx, dtype, {config.experts, D}, kRouterDeviation)),
        lambda_(make_parameter(ctx, dtype, {1}, 0)) {
    lambda_.initial = kFirstLambda;
    lambda_.after_step = [this](Context& c) { adapt(c); };
  }

  Routing route(ForwardContext& f, const Value& x) override {
    const auto [expert, weight] = relu(f, ops::linear(f, x, weight_));
    const Tensor count = count_choices(f.ctx, expert, config_.experts);
    if (f.losses) f.losses->items.push_back({"l1", penalty(f, weight, count), 1});
    if (f.training && f.losses) load_.add(f.ctx, count, x.tensor.rows());
    push_choice(f, count, {}, expert, weight.tensor);
    return {.expert = expert, .weight = weight, .token = {}, .per_token = config_.experts};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);
    visitor(prefix + "lambda", lambda_);
  }

 private:
  // λ·Σ_e (E·count_e/(N·K))·mean gate_e: a balance loss, whose shares count_e/Σ count are made loads by a factor.
  Value penalty(ForwardContext& f, const Value& weight, const Tensor& count) const {
    const Tensor factor = Tensor::empty(f.ctx, weight.tensor.dtype(), {1});
    dispatch(factor.dtype(), [&]<class T>(T) {
      load_factor<T>(f.ctx, factor.data<T>(), lambda_.value.data<T>(), count.data<std::int32_t>(),
                     static_cast<double>(weight.tensor.rows() * config_.top_k), config_.experts);
    });
    return times(f, ops::balance_loss(f, weight, count), factor);
  }

  void adapt(Context& ctx) {
    if (!load_.count.defined()) return;
    dispatch(lambda_.value.dtype(), [&]<class T>(T) {
      adapt_coefficient<T>(ctx, lambda_.value.data<T>(), load_.count.data<std::int32_t>(),
                           static_cast<double>(load_.tokens * config_.top_k), config_.sparsity_factor,
                           config_.experts);
    });
    load_ = {};
  }

  MoeConfig config_;
  Parameter weight_;  // (E, D)
  Parameter lambda_;  // (1); gets no gradient
  StepLoad load_;
};

}  // namespace

std::unique_ptr<Router> make_remoe_router(Context& ctx, DType dtype, const MoeConfig& config,
                                          std::int64_t D) {
  return std::make_unique<ReMoe>(ctx, dtype, config, D);
}

std::vector<RouterParameter> remoe_parameters(const MoeConfig& config, std::int64_t D) {
  return {{"weight", {config.experts, D}}, {"lambda", {1}}};
}

}  // namespace moe
