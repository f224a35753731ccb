#include "common/moe/routers/sigmoid.hpp"

#include "common/moe/routers/router_losses.hpp"
#include "common/moe/routers/router_ops.hpp"

namespace moe {
namespace {

class SigmoidTopK final : public Router {
 public:
  SigmoidTopK(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config), weight_(make_parameter(ctx, dtype, {config.experts, D}, kRouterDeviation)) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const Value score = ops::sigmoid(f, ops::linear(f, x, weight_));
    const Tensor expert = best_of(f.ctx, score.tensor, config_.top_k).expert;
    const Value weight = ops::weigh_choice(
        f, score, expert,
        {.N = 0, .E = 0, .K = 0, .renormalise = config_.renormalise, .scale = config_.gate_scale});
    const Tensor count = count_choices(f.ctx, expert, config_.experts);
    const Value probability = f.losses || f.metrics ? ops::normalised(f, score) : Value();
    losses_.push_balance(f, probability, expert, count);
    push_choice(f, count, probability.tensor, expert, weight.tensor);
    return {.expert = expert, .weight = weight, .token = {}, .per_token = config_.top_k};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);
  }

 private:
  MoeConfig config_;
  Parameter weight_;  // (E, D)
  RouterLosses losses_{config_, weight_};
};

}  // namespace

std::unique_ptr<Router> make_sigmoid_router(Context& ctx, DType dtype, const MoeConfig& config,
                                            std::int64_t D) {
  return std::make_unique<SigmoidTopK>(ctx, dtype, config, D);
}

}  // namespace moe
