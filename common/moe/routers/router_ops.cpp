#include "common/moe/routers/router_ops.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/gemm/gemm.hpp"
#include "kernels/routing_plan/routing_plan.hpp"

namespace moe::ops {

Value linear_frozen(ForwardContext& f, const Value& x, const Tensor& w) {
  const std::int64_t N = x.tensor.rows(), I = w.size(1), O = w.size(0);
  Tensor y = Tensor::empty(f.ctx, x.tensor.dtype(), {N, O});
  dispatch(y.dtype(), [&]<class T>(T) {
    moe::gemm<T>(f.ctx, y.data<T>(), x.tensor.data<T>(), w.data<T>(),
                 gemm_shape(N, O, I, Transpose::no, Transpose::yes));
  });
  if (!f.tape) return y;
  return f.tape->record({x}, y, [=](Gradients& g) {
    const auto [dx, add] = g.target(0);
    dispatch(dx.dtype(), [&, &dx = dx, add = add]<class T>(T) {
      moe::gemm<T>(g.ctx, dx.data<T>(), g.of_output().data<T>(), w.data<T>(),
                   gemm_shape(N, I, O, Transpose::no, Transpose::no, add));
    });
  });
}

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

void push_softmax_losses(ForwardContext& f, const MoeConfig& config, const Value& logits,
                         const ops::SoftmaxResult& soft, const Tensor& count) {
  if (!f.losses) return;
  f.losses->items.push_back(
      {"aux", ops::balance_loss(f, soft.probability, count), config.balance_coefficient});
  f.losses->items.push_back({"z", ops::z_loss(f, logits, soft), config.z_coefficient});
}

}  // namespace moe
