#include "common/moe/routers/null_experts.hpp"

#include "common/moe/routers/router_losses.hpp"
#include "common/moe/routers/router_ops.hpp"

namespace moe {
namespace {

class NullExperts final : public Router {
 public:
  NullExperts(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config),
        all_(config.experts + config.null_experts),
        weight_(make_parameter(ctx, dtype, {all_, D}, kRouterDeviation)) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const Value logits = ops::linear(f, x, weight_);
    const ops::SoftmaxResult soft = ops::softmax(f, logits);
    const Tensor choices = best_of(f.ctx, soft.probability.tensor, config_.top_k).expert;
    const Tensor expert = only_experts(f.ctx, choices, config_.experts);
    const Value weight = ops::weigh_choice(f, soft.probability, expert,
                                           {.N = 0, .E = 0, .K = 0, .renormalise = config_.renormalise});
    if (f.losses)
      losses_.push_balance(f, soft.probability, choices, count_choices(f.ctx, choices, all_),
                           config_.null_experts);
    losses_.push_z(f, logits, soft);
    push_choice(f, count_choices(f.ctx, expert, config_.experts), soft.probability.tensor, expert,
                weight.tensor);
    return {.expert = expert, .weight = weight, .token = {}, .per_token = config_.top_k};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);
  }

 private:
  MoeConfig config_;
  std::int64_t all_;  // experts, true and null
  Parameter weight_;  // (E + nulls, D)
  RouterLosses losses_{config_, weight_};
};

}  // namespace

std::unique_ptr<Router> make_null_experts_router(Context& ctx, DType dtype, const MoeConfig& config,
                                                 std::int64_t D) {
  return std::make_unique<NullExperts>(ctx, dtype, config, D);
}

std::vector<RouterParameter> null_experts_parameters(const MoeConfig& config, std::int64_t D) {
  return {{"weight", {config.experts + config.null_experts, D}}};
}

void resolve_null_experts(MoeConfig& config) {
  if (config.null_experts == 0) config.null_experts = config.experts;
}

}  // namespace moe
