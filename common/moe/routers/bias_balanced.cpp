#include "common/moe/routers/bias_balanced.hpp"

#include "common/moe/routers/router_ops.hpp"
#include "common/moe/routers/step_load.hpp"

namespace moe {
namespace {

class BiasBalanced final : public Router {
 public:
  BiasBalanced(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config),
        weight_(make_parameter(ctx, dtype, {config.experts, D}, kRouterDeviation)),
        bias_(make_parameter(ctx, dtype, {config.experts}, 0)) {
    bias_.initial = 0;
    bias_.after_step = [this](Context& c) { balance(c); };
  }

  Routing route(ForwardContext& f, const Value& x) override {
    const Value score = ops::sigmoid(f, ops::linear(f, x, weight_));
    const Tensor expert = choose(f, score.tensor);
    const Value weight =
        ops::weigh_choice(f, score, expert, {.N = 0, .E = 0, .K = 0, .scale = config_.gate_scale});
    const Tensor count = count_choices(f.ctx, expert, config_.experts);
    if (f.training && f.losses)
      load_.add(f.ctx, count, x.tensor.rows());  // a recomputed pass has no sinks: it counts once
    push_choice(f, count, {}, expert, weight.tensor);
    return {.expert = expert, .weight = weight, .token = {}, .per_token = config_.top_k};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);
    visitor(prefix + "bias", bias_);
  }

 private:
  // The bias chooses, it never weighs: nothing here is on the tape.
  Tensor choose(ForwardContext& f, const Tensor& score) const {
    const Tensor biased = Tensor::empty(f.ctx, score.dtype(), score.shape());
    dispatch(score.dtype(), [&]<class T>(T) {
      biased_score<T>(f.ctx, biased.data<T>(), score.data<T>(), bias_.value.data<T>(),
                      {config_.groups, config_.kept_groups}, {score.rows(), config_.experts, config_.top_k});
    });
    return best_of(f.ctx, biased, config_.top_k).expert;
  }

  void balance(Context& ctx) {
    if (!load_.count.defined()) return;
    dispatch(bias_.value.dtype(), [&]<class T>(T) {
      move_bias<T>(ctx, bias_.value.data<T>(), load_.count.data<std::int32_t>(), config_.bias_rate,
                   config_.experts);
    });
    load_ = {};
  }

  MoeConfig config_;
  Parameter weight_;  // (E, D)
  Parameter bias_;    // (E); gets no gradient
  StepLoad load_;
};

}  // namespace

std::unique_ptr<Router> make_bias_balanced_router(Context& ctx, DType dtype, const MoeConfig& config,
                                                  std::int64_t D) {
  const std::int64_t G = config.groups, E = config.experts;
  if (G < 1 || E % G != 0)
    throw UserError(ExitCode::usage, concat(E, " experts in ", G, " groups"), "choose a divisor");
  if (config.kept_groups < 1 || config.kept_groups > G || config.top_k > config.kept_groups * (E / G))
    throw UserError(ExitCode::usage,
                    concat(config.kept_groups, " of ", G, " groups for ", config.top_k, " experts a token"),
                    concat("keep at least ", (config.top_k + E / G - 1) / (E / G), ", at most ", G));
  return std::make_unique<BiasBalanced>(ctx, dtype, config, D);
}

std::vector<RouterParameter> bias_balanced_parameters(const MoeConfig& config, std::int64_t D) {
  return {{"weight", {config.experts, D}}, {"bias", {config.experts}}};
}

}  // namespace moe
