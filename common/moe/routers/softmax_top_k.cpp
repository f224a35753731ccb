#include "common/moe/routers/softmax_top_k.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/routing_plan/routing_plan.hpp"

namespace moe {
namespace {

constexpr double kRouterDeviation = 0.02;  // small: experts start nearly equal and balanced

class SoftmaxTopK final : public Router {
 public:
  SoftmaxTopK(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config), weight_(make_parameter(ctx, dtype, {config.experts, D}, kRouterDeviation)) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const std::int64_t N = x.tensor.rows(), E = config_.experts, K = config_.top_k;
    const Value logits = ops::linear(f, x, weight_);
    const ops::SoftmaxResult soft = ops::softmax(f, logits);
    const ops::TopK top = ops::top_k_gate(f, soft.probability, K, config_.renormalise);
    const Tensor choice = Tensor::empty(f.ctx, DType::i32, {E});
    histogram(f.ctx, choice.data<std::int32_t>(), top.expert.data<std::int32_t>(), N * K, E);
    push_losses(f, logits, soft, choice);
    const Tensor kept = limit_to_capacity(f.ctx, top.expert);
    push_metrics(f, soft, kept, top.weight.tensor, choice);
    return {.expert = kept, .weight = top.weight, .token = {}, .per_token = K};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);
  }

 private:
  // Capacity C = ceil(N·K/E · factor): later tokens of a full expert lose their assignment (Switch, section 2.2).
  Tensor limit_to_capacity(Context& ctx, const Tensor& expert) const {
    if (config_.capacity_factor <= 0) return expert;
    const auto assignments = static_cast<double>(expert.numel());
    const double capacity =
        std::ceil(assignments / static_cast<double>(config_.experts) * config_.capacity_factor);
    const Tensor kept = Tensor::empty(ctx, DType::i32, expert.shape());
    limit_per_key(
        ctx, kept.data<std::int32_t>(), expert.data<std::int32_t>(), expert.numel(), config_.experts,
        static_cast<std::int64_t>(std::min(assignments, capacity)));  // a huge factor must not overflow
    return kept;
  }

  void push_losses(ForwardContext& f, const Value& logits, const ops::SoftmaxResult& soft,
                   const Tensor& choice) const {
    if (!f.losses) return;
    f.losses->items.push_back(
        {"aux", ops::balance_loss(f, soft.probability, choice), config_.balance_coefficient});
    f.losses->items.push_back({"z", ops::z_loss(f, logits, soft), config_.z_coefficient});
  }

  static void push_metrics(ForwardContext& f, const ops::SoftmaxResult& soft, const Tensor& expert,
                           const Tensor& weight, const Tensor& choice) {
    if (!f.metrics) return;
    f.metrics->push("choice", f.layer, choice);
    f.metrics->push("probability", f.layer, soft.probability.tensor);
    f.metrics->push("expert", f.layer, expert);
    f.metrics->push("weight", f.layer, weight);
  }

  MoeConfig config_;
  Parameter weight_;  // (E, D)
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
