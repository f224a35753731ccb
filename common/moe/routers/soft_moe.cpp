#include "common/moe/routers/soft_moe.hpp"

#include <cmath>

#include "common/moe/routers/router_ops.hpp"
#include "common/moe/slots.hpp"
#include "kernels/gemm/gemm.hpp"

namespace moe {
namespace {

class SoftMoe final : public Router {
 public:
  // 1/sqrt(D): slots that start alike would stay alike, since all would get the same mean of the tokens.
  SoftMoe(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : E_(config.experts),
        S_(config.slots),
        phi_(make_parameter(ctx, dtype, {E_ * S_, D}, 1 / std::sqrt(static_cast<double>(D)))) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const std::int64_t N = x.tensor.rows(), B = sequences(f, N);
    const Value logits = ops::linear(f, x, phi_);  // (N, M)
    DensePlan plan;
    plan.sequences = B;
    plan.dispatch = ops::softmax(f, ops::transposed_blocks(f, logits, B)).probability;
    plan.combine = ops::softmax(f, logits).probability;
    if (f.metrics) push(f, plan);
    return {.expert = {}, .weight = plan.combine, .token = {}, .per_token = 0, .dense = plan};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "phi", phi_);
  }

 private:
  static std::int64_t sequences(const ForwardContext& f, std::int64_t N) {
    const std::int64_t B = f.tokens && f.tokens->sequences > 0 ? f.tokens->sequences : 1;
    MOE_CHECK(N % B == 0, N, " tokens in ", B, " sequences of one length");
    return B;
  }

  void push(ForwardContext& f, const DensePlan& plan) {
    const Tensor& combine = plan.combine.tensor;
    const std::int64_t N = combine.rows(), M = E_ * S_;
    if (!sum_by_expert_.defined()) sum_by_expert_ = indicator(f.ctx, combine.dtype());
    const Tensor weight = Tensor::empty(f.ctx, combine.dtype(), {N, E_});
    dispatch(combine.dtype(), [&]<class T>(T) {
      gemm<T>(f.ctx, weight.data<T>(), combine.data<T>(), sum_by_expert_.data<T>(), gemm_shape(N, E_, M));
    });
    std::vector<std::int32_t> expert(static_cast<std::size_t>(N * E_));
    for (std::size_t i = 0; i < expert.size(); ++i)
      expert[i] = static_cast<std::int32_t>(i % static_cast<std::size_t>(E_));
    const std::vector<std::int32_t> slots(static_cast<std::size_t>(E_),
                                          static_cast<std::int32_t>(plan.sequences * S_));
    push_choice(f, tensor_of(f.ctx, slots, {E_}), weight, tensor_of(f.ctx, expert, {N, E_}), weight);
  }

  // (M, E): 1 where the slot is the expert's.
  Tensor indicator(Context& ctx, DType dtype) const {
    return dispatch(dtype, [&]<class T>(T) {
      std::vector<T> ones(static_cast<std::size_t>(E_ * S_ * E_));
      for (std::int64_t m = 0; m < E_ * S_; ++m) ones[m * E_ + m / S_] = 1;
      return tensor_of<T>(ctx, ones, {E_ * S_, E_});
    });
  }

  std::int64_t E_, S_;
  Parameter phi_;         // (M, D)
  Tensor sum_by_expert_;  // for metrics
};

}  // namespace

std::unique_ptr<Router> make_soft_moe_router(Context& ctx, DType dtype, const MoeConfig& config,
                                             std::int64_t D) {
  return std::make_unique<SoftMoe>(ctx, dtype, config, D);
}

std::vector<RouterParameter> soft_moe_parameters(const MoeConfig& config, std::int64_t D) {
  return {{"phi", {config.experts * config.slots, D}}};
}

TokenWork soft_moe_work(const MoeConfig& config, std::int64_t D, std::int64_t T) {
  const auto M = static_cast<double>(config.experts * config.slots);
  return {M / static_cast<double>(T), 4 * M * static_cast<double>(D)};
}

}  // namespace moe
