#include "common/moe/routers/noisy_top_k.hpp"

#include <algorithm>

#include "common/moe/routers/router_ops.hpp"
#include "kernels/noisy_gate/noisy_gate.hpp"

namespace moe {
namespace {

Value noisy(ForwardContext& f, const Value& clean, const Value& spread) {
  const NoiseShape s{clean.tensor.rows(), clean.tensor.size(-1), f.tokens ? f.tokens->first_token : 0};
  const RngKey key = noise_key(f);
  const Tensor y = Tensor::empty(f.ctx, clean.tensor.dtype(), {s.N, s.E});
  dispatch(y.dtype(), [&]<class T>(T) {
    noisy_score<T>(f.ctx, y.data<T>(), clean.tensor.data<T>(), spread.tensor.data<T>(), key, s);
  });
  if (!f.tape) return y;
  return f.tape->record({clean, spread}, y, [=, spread = spread.tensor](Gradients& g) {
    const Tensor dspread = Tensor::empty(g.ctx, spread.dtype(), spread.shape());
    dispatch(spread.dtype(), [&]<class T>(T) {
      noisy_score_backward<T>(g.ctx, dspread.data<T>(), g.of_output().data<T>(), spread.data<T>(), key, s);
    });
    g.give(0, g.of_output());
    g.give(1, dspread);
  });
}

// P (N, E) of being chosen if one's noise were drawn again.
Value load_estimate(ForwardContext& f, const Value& clean, const Value& spread, const Value& score,
                    std::int64_t K) {
  const LoadShape s{score.tensor.rows(), score.tensor.size(-1), K};
  const ops::TopK best = best_of(f.ctx, score.tensor, s.M());
  const Tensor threshold = best.weight.tensor, expert = best.expert;
  const Tensor P = Tensor::empty(f.ctx, threshold.dtype(), {s.N, s.E});
  dispatch(P.dtype(), [&]<class T>(T) {
    load_probability<T>(f.ctx, P.data<T>(), clean.tensor.data<T>(), spread.tensor.data<T>(),
                        expert.data<std::int32_t>(), threshold.data<T>(), s);
  });
  if (!f.tape) return P;
  return f.tape->record(
      {clean, spread, score}, P, [=, clean = clean.tensor, spread = spread.tensor](Gradients& g) {
        const auto like = [&] { return Tensor::empty(g.ctx, clean.dtype(), clean.shape()); };
        const Tensor dclean = like(), dspread = like(), dscore = like();
        dispatch(clean.dtype(), [&]<class T>(T) {
          load_probability_backward<T>(g.ctx, dclean.data<T>(), dspread.data<T>(), dscore.data<T>(),
                                       g.of_output().data<T>(), clean.data<T>(), spread.data<T>(),
                                       expert.data<std::int32_t>(), threshold.data<T>(), s);
        });
        g.give(0, dclean);
        g.give(1, dspread);
        g.give(2, dscore);
      });
}

class NoisyTopK final : public Router {
 public:
  NoisyTopK(Context& ctx, DType dtype, const MoeConfig& config, std::int64_t D)
      : config_(config),
        weight_(zeros(ctx, dtype, config.experts, D)),
        noise_(zeros(ctx, dtype, config.experts, D)) {}

  Routing route(ForwardContext& f, const Value& x) override {
    const Value clean = ops::linear(f, x, weight_);
    const Value spread = f.training || f.losses ? ops::linear(f, x, noise_) : Value();
    const Value score = f.training ? noisy(f, clean, spread) : clean;
    const ops::SoftmaxResult soft = ops::softmax(f, score);
    // Softmax over the K best alone is the same as over all, divided by the sum of the K.
    const ops::TopK top = ops::top_k_gate(f, soft.probability, config_.top_k, config_.renormalise);
    if (f.losses) push_losses(f, top, load_estimate(f, clean, spread, score, config_.top_k));
    push_choice(f, count_choices(f.ctx, top.expert, config_.experts), soft.probability.tensor, top.expert,
                top.weight.tensor);
    return {.expert = top.expert, .weight = top.weight, .token = {}, .per_token = config_.top_k};
  }

  void visit(const ParameterVisitor& visitor, const std::string& prefix) override {
    visitor(prefix + "weight", weight_);
    visitor(prefix + "noise", noise_);
  }

 private:
  static Parameter zeros(Context& ctx, DType dtype, std::int64_t E, std::int64_t D) {
    Parameter p = make_parameter(ctx, dtype, {E, D}, 0);
    p.initial = 0;
    p.decay = true;
    return p;
  }

  void push_losses(ForwardContext& f, const ops::TopK& top, const Value& load) const {
    const Value gates = ops::spread_choice(f, top.weight, top.expert, config_.experts);
    f.losses->items.push_back({"importance", ops::squared_variation(f, gates), config_.balance_coefficient});
    f.losses->items.push_back({"load", ops::squared_variation(f, load), config_.balance_coefficient});
  }

  MoeConfig config_;
  Parameter weight_, noise_;  // (E, D)
};

}  // namespace

std::unique_ptr<Router> make_noisy_top_k_router(Context& ctx, DType dtype, const MoeConfig& config,
                                                std::int64_t D) {
  return std::make_unique<NoisyTopK>(ctx, dtype, config, D);
}

std::vector<RouterParameter> noisy_top_k_parameters(const MoeConfig& config, std::int64_t D) {
  return {{"weight", {config.experts, D}}, {"noise", {config.experts, D}}};
}

}  // namespace moe
