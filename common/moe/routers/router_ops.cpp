#include "common/moe/routers/router_ops.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/routing_plan/routing_plan.hpp"

namespace moe::ops {

Value sigmoid(ForwardContext& f, const Value& x) {
  Tensor y = Tensor::empty(f.ctx, x.tensor.dtype(), x.tensor.shape());
  dispatch(y.dtype(),
           [&]<class T>(T) { moe::sigmoid<T>(f.ctx, y.data<T>(), x.tensor.data<T>(), y.numel()); });
  if (!f.tape) return y;
  return f.tape->record({x}, y, [=](Gradients& g) {
    Tensor dx = Tensor::empty(g.ctx, y.dtype(), y.shape());
    dispatch(y.dtype(), [&]<class T>(T) {
      moe::sigmoid_backward<T>(g.ctx, dx.data<T>(), g.of_output().data<T>(), y.data<T>(), y.numel());
    });
    g.give(0, dx);
  });
}

Value normalised(ForwardContext& f, const Value& score) {
  const ChoiceShape s{score.tensor.rows(), score.tensor.size(-1), score.tensor.size(-1)};
  Tensor p = Tensor::empty(f.ctx, score.tensor.dtype(), {s.N, s.E});
  dispatch(p.dtype(),
           [&]<class T>(T) { moe::weigh_choice<T>(f.ctx, p.data<T>(), score.tensor.data<T>(), nullptr, s); });
  if (!f.tape) return p;
  return f.tape->record({score}, p, [=, score = score.tensor](Gradients& g) {
    Tensor dscore = Tensor::empty(g.ctx, score.dtype(), score.shape());
    dispatch(score.dtype(), [&]<class T>(T) {
      moe::weigh_choice_backward<T>(g.ctx, dscore.data<T>(), g.of_output().data<T>(), score.data<T>(),
                                    nullptr, s);
    });
    g.give(0, dscore);
  });
}

// Weighing without renormalising picks numbers out of rows; its gradient puts them back. Here they change roles.
Value spread_choice(ForwardContext& f, const Value& weight, const Tensor& expert, std::int64_t E) {
  const ChoiceShape s{expert.rows(), E, expert.size(-1), false};
  Tensor y = Tensor::empty(f.ctx, weight.tensor.dtype(), {s.N, E});
  dispatch(y.dtype(), [&]<class T>(T) {
    moe::weigh_choice_backward<T>(f.ctx, y.data<T>(), weight.tensor.data<T>(), nullptr,
                                  expert.data<std::int32_t>(), s);
  });
  if (!f.tape) return y;
  return f.tape->record({weight}, y, [=, dtype = y.dtype()](Gradients& g) {
    Tensor dweight = Tensor::empty(g.ctx, dtype, {s.N, s.K});
    dispatch(dtype, [&]<class T>(T) {
      moe::weigh_choice<T>(g.ctx, dweight.data<T>(), g.of_output().data<T>(), expert.data<std::int32_t>(), s);
    });
    g.give(0, dweight);
  });
}

Value weigh_choice(ForwardContext& f, const Value& score, const Tensor& expert, ChoiceShape s) {
  s.N = expert.rows(), s.E = score.tensor.size(-1), s.K = expert.size(-1);
  Tensor weight = Tensor::empty(f.ctx, score.tensor.dtype(), {s.N, s.K});
  dispatch(weight.dtype(), [&]<class T>(T) {
    moe::weigh_choice<T>(f.ctx, weight.data<T>(), score.tensor.data<T>(), expert.data<std::int32_t>(), s);
  });
  if (!f.tape) return weight;
  return f.tape->record({score}, weight, [=, score = score.tensor](Gradients& g) {
    Tensor dscore = Tensor::empty(g.ctx, score.dtype(), score.shape());
    dispatch(score.dtype(), [&]<class T>(T) {
      moe::weigh_choice_backward<T>(g.ctx, dscore.data<T>(), g.of_output().data<T>(), score.data<T>(),
                                    expert.data<std::int32_t>(), s);
    });
    g.give(0, dscore);
  });
}

namespace {

template <class T>
Tensor transposed_as(Context& ctx, const Tensor& x) {
  const Tensor y = Tensor::empty(ctx, x.dtype(), {x.width(), x.rows()});
  moe::transposed<T>(ctx, y.data<T>(), x.data<T>(), x.rows(), x.width());
  return y;
}

}  // namespace

Tensor transposed(Context& ctx, const Tensor& x) {
  if (x.dtype() == DType::i32) return transposed_as<std::int32_t>(ctx, x);
  Tensor y;
  dispatch(x.dtype(), [&]<class T>(T) { y = transposed_as<T>(ctx, x); });
  return y;
}

Value transposed(ForwardContext& f, const Value& x) {
  const Tensor y = transposed(f.ctx, x.tensor);
  if (!f.tape) return y;
  return f.tape->record({x}, y, [](Gradients& g) { g.give(0, transposed(g.ctx, g.of_output())); });
}

}  // namespace moe::ops

namespace moe {

Tensor only_experts(Context& ctx, const Tensor& expert, std::int64_t experts) {
  const Tensor kept = Tensor::empty(ctx, DType::i32, expert.shape());
  const std::int64_t n = expert.numel();
  group_keys(ctx, kept.data<std::int32_t>(), expert.data<std::int32_t>(), n, n, experts);
  return kept;
}

ops::TopK best_of(Context& ctx, const Tensor& score, std::int64_t K) {
  ForwardContext constant{.ctx = ctx};
  return ops::top_k_gate(constant, score, K, false);
}

RngKey noise_key(const ForwardContext& f) {
  return {.seed = f.seed,
          .purpose = Purpose::router_noise,
          .layer = static_cast<std::uint16_t>(f.layer),
          .step = f.step};
}

Tensor count_choices(Context& ctx, const Tensor& expert, std::int64_t experts) {
  const Tensor count = Tensor::empty(ctx, DType::i32, {experts});
  histogram(ctx, count.data<std::int32_t>(), expert.data<std::int32_t>(), expert.numel(), experts);
  return count;
}

Tensor limit_to_capacity(Context& ctx, const Tensor& expert, std::int64_t experts, double factor) {
  if (factor <= 0) return expert;
  const auto assignments = static_cast<double>(expert.numel());
  const double capacity = std::ceil(assignments / static_cast<double>(experts) * factor);
  const Tensor kept = Tensor::empty(ctx, DType::i32, expert.shape());
  limit_per_key(
      ctx, kept.data<std::int32_t>(), expert.data<std::int32_t>(), expert.numel(), experts,
      static_cast<std::int64_t>(std::min(assignments, capacity)));  // a huge factor must not overflow
  return kept;
}

void push_choice(ForwardContext& f, const Tensor& count, const Tensor& probability, const Tensor& expert,
                 const Tensor& weight) {
  if (!f.metrics) return;
  f.metrics->push("choice", f.layer, count);
  if (probability.defined()) f.metrics->push("probability", f.layer, probability);
  f.metrics->push("expert", f.layer, expert);
  f.metrics->push("weight", f.layer, weight);
}

Value router_logits(ForwardContext& f, const MoeConfig& config, const Value& x, Parameter& weight) {
  const auto bits = static_cast<int>(config.router_bits);
  if (bits == 0) return ops::linear(f, x, weight);
  const Value rounded = ops::round_mantissa(f, f.value_of(weight), bits);
  return ops::round_mantissa(f, ops::linear(f, ops::round_mantissa(f, x, bits), rounded), bits);
}

}  // namespace moe
