#include "common/ops/ops.hpp"
#include "kernels/balance_loss/balance_loss.hpp"
#include "kernels/cross_entropy/cross_entropy.hpp"
#include "kernels/elementwise/elementwise.hpp"
#include "kernels/gate_losses/gate_losses.hpp"

namespace moe::ops {

// The gradient is made in the forward pass, in the logits' own storage: one pass over (N, V) instead of three.
Value cross_entropy(ForwardContext& f, const Value& logits, const Tensor& target) {
  const Tensor& x = logits.tensor;
  const std::int64_t N = x.rows(), V = x.size(-1);
  MOE_CHECK(target.numel() == N, target.numel(), " targets for ", N, " rows");
  Tensor loss = Tensor::empty(f.ctx, x.dtype(), {1});
  dispatch(x.dtype(), [&]<class T>(T) {
    moe::cross_entropy<T>(f.ctx, loss.data<T>(), nullptr, f.tape ? x.data<T>() : nullptr, x.data<T>(),
                          target.data<std::int32_t>(), N, V);
  });
  if (!f.tape) return loss;
  return f.tape->record({logits}, loss, [=](Gradients& g) {
    dispatch(x.dtype(), [&]<class T>(T) {
      moe::scale_by<T>(g.ctx, x.data<T>(), x.data<T>(), g.of_output().data<T>(), x.numel());
    });
    g.give(0, x);
  });
}

Tensor row_losses(Context& ctx, const Tensor& logits, const Tensor& target) {
  const std::int64_t N = logits.rows(), V = logits.size(-1);
  const Tensor loss = Tensor::empty(ctx, logits.dtype(), {1}), rows = Tensor::empty(ctx, logits.dtype(), {N});
  dispatch(logits.dtype(), [&]<class T>(T) {
    moe::cross_entropy<T>(ctx, loss.data<T>(), rows.data<T>(), nullptr, logits.data<T>(),
                          target.data<std::int32_t>(), N, V);
  });
  return rows;
}

namespace {

// The nodes of losses whose values are known.
Value record_balance(ForwardContext& f, const Value& probability, const Tensor& loss, const Tensor& count) {
  if (!f.tape) return loss;
  const std::int64_t E = probability.tensor.size(-1);
  const BalanceShape s{probability.tensor.rows(), E, count.numel() / E};
  return f.tape->record({probability}, loss, [=](Gradients& g) {
    const auto [dp, add] = g.target(0);
    dispatch(dp.dtype(), [&, &dp = dp, add = add]<class T>(T) {
      moe::balance_loss_backward<T>(g.ctx, dp.data<T>(), g.of_output().data<T>(), count.data<std::int32_t>(),
                                    s, add);
    });
  });
}

Value record_z(ForwardContext& f, const Value& logits, const Tensor& loss, const SoftmaxResult& soft) {
  if (!f.tape) return loss;
  const std::int64_t N = logits.tensor.rows(), E = logits.tensor.size(-1);
  return f.tape->record({logits}, loss, [=, p = soft.probability.tensor, lse = soft.logsumexp](Gradients& g) {
    const auto [d, add] = g.target(0);
    dispatch(d.dtype(), [&, &d = d, add = add]<class T>(T) {
      moe::z_loss_backward<T>(g.ctx, d.data<T>(), g.of_output().data<T>(), lse.data<T>(), p.data<T>(), N, E,
                              add);
    });
  });
}

}  // namespace

Value balance_loss(ForwardContext& f, const Value& probability, const Tensor& count) {
  const std::int64_t E = probability.tensor.size(-1);
  const BalanceShape s{probability.tensor.rows(), E, count.numel() / E};
  Tensor loss = Tensor::empty(f.ctx, probability.tensor.dtype(), {1});
  dispatch(loss.dtype(), [&]<class T>(T) {
    moe::balance_loss<T>(f.ctx, loss.data<T>(), probability.tensor.data<T>(), count.data<std::int32_t>(), s);
  });
  return record_balance(f, probability, loss, count);
}

Value squared_variation(ForwardContext& f, const Value& x) {
  const std::int64_t N = x.tensor.rows(), E = x.tensor.size(-1);
  Tensor loss = Tensor::empty(f.ctx, x.tensor.dtype(), {1});
  const Tensor sum = Tensor::empty(f.ctx, DType::f64, {E});
  dispatch(loss.dtype(), [&]<class T>(T) {
    moe::squared_variation<T>(f.ctx, loss.data<T>(), sum.data<double>(), x.tensor.data<T>(), N, E);
  });
  if (!f.tape) return loss;
  return f.tape->record({x}, loss, [=](Gradients& g) {
    const auto [dx, add] = g.target(0);
    dispatch(dx.dtype(), [&, &dx = dx, &add = add]<class T>(T) {
      moe::squared_variation_backward<T>(g.ctx, dx.data<T>(), g.of_output().data<T>(), sum.data<double>(), N,
                                         E, add);
    });
  });
}

Value entropy_loss(ForwardContext& f, const Value& probability) {
  const std::int64_t N = probability.tensor.rows(), E = probability.tensor.size(-1);
  Tensor loss = Tensor::empty(f.ctx, probability.tensor.dtype(), {1});
  dispatch(loss.dtype(), [&]<class T>(T) {
    moe::entropy_loss<T>(f.ctx, loss.data<T>(), probability.tensor.data<T>(), N, E);
  });
  if (!f.tape) return loss;
  return f.tape->record({probability}, loss, [=, p = probability.tensor](Gradients& g) {
    const auto [dp, add] = g.target(0);
    dispatch(dp.dtype(), [&, &dp = dp, &add = add]<class T>(T) {
      moe::entropy_loss_backward<T>(g.ctx, dp.data<T>(), g.of_output().data<T>(), p.data<T>(), N, E, add);
    });
  });
}

Value z_loss(ForwardContext& f, const Value& logits, const SoftmaxResult& soft) {
  Tensor loss = Tensor::empty(f.ctx, logits.tensor.dtype(), {1});
  dispatch(loss.dtype(), [&]<class T>(T) {
    moe::z_loss<T>(f.ctx, loss.data<T>(), soft.logsumexp.data<T>(), logits.tensor.rows());
  });
  return record_z(f, logits, loss, soft);
}

GateLosses gate_losses(ForwardContext& f, const Value& logits, const SoftmaxResult& soft,
                       const Tensor& expert) {
  const Tensor& p = soft.probability.tensor;
  const GateLossShape s{p.rows(), p.size(-1), expert.size(-1)};
  const Tensor count = Tensor::empty(f.ctx, DType::i32, {s.E}),
               balance = Tensor::empty(f.ctx, p.dtype(), {1}), z = Tensor::empty(f.ctx, p.dtype(), {1});
  dispatch(p.dtype(), [&]<class T>(T) {
    moe::gate_losses<T>(f.ctx, count.data<std::int32_t>(), balance.data<T>(), z.data<T>(), p.data<T>(),
                        soft.logsumexp.data<T>(), expert.data<std::int32_t>(), s);
  });
  return {count, record_balance(f, soft.probability, balance, count), record_z(f, logits, z, soft)};
}

}  // namespace moe::ops
