#include "common/moe/routers/expert_choice.hpp"

#include <algorithm>
#include <cmath>

#include "common/moe/routers/router_ops.hpp"

namespace moe {
namespace {

class ExpertChoice final : public Router {
 public:
  ExpertChoice(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config), weight_(make_parameter(ctx, dtype, {config.experts, D}, kRouterDeviation)) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const std::int64_t N = x.tensor.rows(), C = capacity(N);
    const Value logits = ops::linear(f, x, weight_);
    const ops::SoftmaxResult soft = ops::softmax(f, logits);
    if (f.losses) f.losses->items.push_back({"z", ops::z_loss(f, logits, soft), config_.z_coefficient});
    if (N == 0) return push_and_list(f, soft, no_tokens(f.ctx, x.tensor.dtype()));
    const Value by_expert =
        ops::transposed(f, soft.probability);  // (E, N): the top-k of a row is an expert's
    const ops::TopK top = ops::top_k_gate(f, by_expert, C, false);  // tokens (E, C)
    return push_and_list(f, soft, top);
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);
  }

 private:
  std::int64_t capacity(std::int64_t N) const {
    const double share = static_cast<double>(N) * static_cast<double>(config_.top_k) /
                         static_cast<double>(config_.experts) * config_.capacity_factor;
    return static_cast<std::int64_t>(std::min(static_cast<double>(N), std::ceil(share)));
  }

  ops::TopK no_tokens(Context& ctx, DType dtype) const {
    return {Tensor::empty(ctx, DType::i32, {config_.experts, 0}),
            Tensor::empty(ctx, dtype, {config_.experts, 0})};
  }

  Routing push_and_list(ForwardContext& f, const ops::SoftmaxResult& soft, const ops::TopK& top) const {
    const std::int64_t N = soft.probability.tensor.rows(), E = config_.experts, C = top.expert.size(-1);
    const Tensor expert = Tensor::empty(f.ctx, DType::i32, {E, C});
    const Tensor &token = top.expert, &weight = top.weight.tensor;
    Tensor experts_of, weights_of;
    if (f.metrics) {
      experts_of = Tensor::empty(f.ctx, DType::i32, {N, E});
      weights_of = Tensor::empty(f.ctx, weight.dtype(), {N, E});
    }
    dispatch(weight.dtype(), [&]<class T>(T) {
      by_token<T>(f.ctx, expert.data<std::int32_t>(), f.metrics ? experts_of.data<std::int32_t>() : nullptr,
                  f.metrics ? weights_of.data<T>() : nullptr, token.data<std::int32_t>(), weight.data<T>(), N,
                  E, C);
    });
    if (f.metrics)
      push_choice(f, count_choices(f.ctx, expert, E), soft.probability.tensor, experts_of, weights_of);
    return {.expert = expert, .weight = top.weight, .token = token, .per_token = 0};
  }

  MoeConfig config_;
  Parameter weight_;  // (E, D)
};

}  // namespace

std::unique_ptr<Router> make_expert_choice_router(Context& ctx, DType dtype, const MoeConfig& config,
                                                  std::int64_t D) {
  return std::make_unique<ExpertChoice>(ctx, dtype, config, D);
}

void resolve_expert_choice(MoeConfig& config) {
  config.renormalise = false;
  if (config.capacity_factor <= 0) config.capacity_factor = 1;
}

}  // namespace moe
