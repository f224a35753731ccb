#include "common/moe/routers/frozen.hpp"

#include <cmath>

#include "common/moe/routers/router_ops.hpp"

namespace moe {
namespace {

class Frozen final : public Router {
 public:
  // 1/sqrt(D): scores of size 1 for inputs of size 1, since no training will spread them.
  Frozen(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config),
        weight_(make_parameter(ctx, dtype, {config.experts, D}, 1 / std::sqrt(static_cast<double>(D)))) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const Value logits = ops::linear(f, x, Value(weight_.value));
    const ops::SoftmaxResult soft = ops::softmax(f, logits);
    const std::int64_t K = f.training ? growing_top_k(config_, f.step) : config_.top_k;
    const ops::TopK top = ops::top_k_gate(f, soft.probability, K, config_.renormalise);
    push_choice(f, count_choices(f.ctx, top.expert, config_.experts), soft.probability.tensor, top.expert,
                top.weight.tensor);
    return {.expert = top.expert, .weight = top.weight, .token = {}, .per_token = K};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);  // for checkpoints; it gets no gradient, so that no step moves it
  }

 private:
  MoeConfig config_;
  Parameter weight_;  // (E, D)
};

}  // namespace

std::int64_t growing_top_k(const MoeConfig& config, std::int64_t step) {
  if (step >= config.k_growth_steps) return config.top_k;
  return 1 + (config.top_k - 1) * step / config.k_growth_steps;
}

std::unique_ptr<Router> make_frozen_router(Context& ctx, DType dtype, const MoeConfig& config,
                                           std::int64_t D) {
  return std::make_unique<Frozen>(ctx, dtype, config, D);
}

}  // namespace moe
