#include "common/moe/routers/sinkhorn.hpp"

#include "common/moe/routers/router_ops.hpp"
#include "kernels/sinkhorn/sinkhorn.hpp"

namespace moe {
namespace {

constexpr std::int64_t kIterations = 20;  // columns within 1e-4 of N/E for scores of size 1

class SinkhornRouter final : public Router {
 public:
  SinkhornRouter(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config), weight_(make_parameter(ctx, dtype, {config.experts, D}, kRouterDeviation)) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const Value logits = ops::linear(f, x, weight_);
    const ops::SoftmaxResult soft = ops::softmax(f, logits);
    const Tensor expert = choose(f, logits.tensor);
    const Value weight = ops::weigh_choice(f, soft.probability, expert,
                                           {.N = 0, .E = 0, .K = 0, .renormalise = config_.renormalise});
    if (f.losses) f.losses->items.push_back({"z", ops::z_loss(f, logits, soft), config_.z_coefficient});
    push_choice(f, count_choices(f.ctx, expert, config_.experts), soft.probability.tensor, expert,
                weight.tensor);
    return {.expert = expert, .weight = weight, .token = {}, .per_token = config_.top_k};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);
  }

 private:
  Tensor choose(ForwardContext& f, const Tensor& logits) const {
    if (!f.training) return best_of(f.ctx, logits, config_.top_k).expert;
    const Tensor balanced = Tensor::empty(f.ctx, logits.dtype(), logits.shape());
    dispatch(logits.dtype(), [&]<class T>(T) {
      sinkhorn<T>(f.ctx, balanced.data<T>(), logits.data<T>(), logits.rows(), config_.experts, kIterations);
    });
    return best_of(f.ctx, balanced, config_.top_k).expert;
  }

  MoeConfig config_;
  Parameter weight_;  // (E, D)
};

}  // namespace

std::unique_ptr<Router> make_sinkhorn_router(Context& ctx, DType dtype, const MoeConfig& config,
                                             std::int64_t D) {
  return std::make_unique<SinkhornRouter>(ctx, dtype, config, D);
}

void resolve_sinkhorn(MoeConfig& config) {
  if (config.top_k == 1) config.renormalise = false;
}

}  // namespace moe
