#include "common/moe/routers/softmax_top_k.hpp"

#include "common/moe/routers/router_losses.hpp"
#include "common/moe/routers/router_ops.hpp"

namespace moe {
namespace {

class SoftmaxTopK final : public Router {
 public:
  SoftmaxTopK(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config), weight_(make_parameter(ctx, dtype, {config.experts, D}, kRouterDeviation)) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const Value logits = router_logits(f, config_, x, weight_);
    const ops::SoftmaxResult soft = ops::softmax(f, logits);
    const ops::TopK top = ops::top_k_gate(f, soft.probability, config_.top_k, config_.renormalise);
    const Tensor count = losses_.push(f, logits, soft, top.expert);
    const Tensor kept = limit_to_capacity(f.ctx, top.expert, config_.experts, config_.capacity_factor);
    push_choice(f, count, soft.probability.tensor, kept, top.weight.tensor);
    return {.expert = kept, .weight = top.weight, .token = {}, .per_token = config_.top_k};
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

std::unique_ptr<Router> make_top_k_router(Context& ctx, DType dtype, const MoeConfig& config,
                                          std::int64_t D) {
  return std::make_unique<SoftmaxTopK>(ctx, dtype, config, D);
}

void resolve_switch(MoeConfig& config) {
  config.top_k = 1;
  config.renormalise = false;
  if (config.capacity_factor <= 0) config.capacity_factor = 1.25;
}

}  // namespace moe
