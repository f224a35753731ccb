#include "common/moe/routers/top_p.hpp"

#include "common/moe/routers/router_losses.hpp"
#include "common/moe/routers/router_ops.hpp"

namespace moe {
namespace {

class TopP final : public Router {
 public:
  TopP(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config), weight_(make_parameter(ctx, dtype, {config.experts, D}, kRouterDeviation)) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const Value logits = ops::linear(f, x, weight_);
    const ops::SoftmaxResult soft = ops::softmax(f, logits);
    const Tensor expert = choose(f, soft.probability.tensor);
    const Value weight = ops::weigh_choice(f, soft.probability, expert,
                                           {.N = 0, .E = 0, .K = 0, .renormalise = config_.renormalise});
    const Tensor count = losses_.push(f, logits, soft, expert);
    losses_.push_entropy(f, soft.probability);
    push_choice(f, count, soft.probability.tensor, expert, weight.tensor);
    return {.expert = expert, .weight = weight, .token = {}, .per_token = config_.top_k};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);
  }

 private:
  Tensor choose(ForwardContext& f, const Tensor& probability) const {
    const ops::TopK top = best_of(f.ctx, probability, config_.top_k);
    dispatch(probability.dtype(), [&]<class T>(T) {
      std::int32_t* expert = top.expert.data<std::int32_t>();
      keep_top_p<T>(f.ctx, expert, expert, top.weight.tensor.data<T>(), config_.threshold, probability.rows(),
                    config_.top_k);
    });
    return top.expert;
  }

  MoeConfig config_;
  Parameter weight_;  // (E, D)
  RouterLosses losses_{config_, weight_};
};

}  // namespace

std::unique_ptr<Router> make_top_p_router(Context& ctx, DType dtype, const MoeConfig& config,
                                          std::int64_t D) {
  return std::make_unique<TopP>(ctx, dtype, config, D);
}

}  // namespace moe
