#include "common/moe/routers/gshard.hpp"

#include "common/moe/routers/router_losses.hpp"
#include "common/moe/routers/router_ops.hpp"

namespace moe {
namespace {

class GShard final : public Router {
 public:
  GShard(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config), weight_(make_parameter(ctx, dtype, {config.experts, D}, kRouterDeviation)) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const Value logits = ops::linear(f, x, weight_);
    const ops::SoftmaxResult soft = ops::softmax(f, logits);
    const ops::TopK top = ops::top_k_gate(f, soft.probability, 2, true);
    const Tensor by_rank = ops::transposed(f.ctx, drawn(f, top));  // (2, N): first choices, then second ones
    const Tensor first = by_rank.slice_rows(0, 1);
    losses_.push_balance(f, soft.probability, first, count_choices(f.ctx, first, config_.experts));
    losses_.push_z(f, logits, soft);
    const Tensor kept =
        ops::transposed(f.ctx, limit_to_capacity(f.ctx, by_rank, config_.experts, config_.capacity_factor));
    push_choice(f, count_choices(f.ctx, top.expert, config_.experts), soft.probability.tensor, kept,
                top.weight.tensor);
    return {.expert = kept, .weight = top.weight, .token = {}, .per_token = 2};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);
  }

 private:
  // Some second choices go, in training; the same ones on any device and for any split of the batch.
  static Tensor drawn(ForwardContext& f, const ops::TopK& top) {
    if (!f.training) return top.expert;
    const std::int64_t N = top.expert.rows();
    const Tensor kept = Tensor::empty(f.ctx, DType::i32, {N, 2});
    const RngKey key = noise_key(f);
    dispatch(top.weight.tensor.dtype(), [&]<class T>(T) {
      keep_by_chance<T>(f.ctx, kept.data<std::int32_t>(), top.expert.data<std::int32_t>(),
                        top.weight.tensor.data<T>(), key, f.tokens ? f.tokens->first_token : 0, N, 2);
    });
    return kept;
  }

  MoeConfig config_;
  Parameter weight_;  // (E, D)
  RouterLosses losses_{config_, weight_};
};

}  // namespace

std::unique_ptr<Router> make_gshard_router(Context& ctx, DType dtype, const MoeConfig& config,
                                           std::int64_t D) {
  return std::make_unique<GShard>(ctx, dtype, config, D);
}

void resolve_gshard(MoeConfig& config) {
  config.top_k = 2;
  config.renormalise = true;
  if (config.capacity_factor <= 0) config.capacity_factor = 1;
}

}  // namespace moe
