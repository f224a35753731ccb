#include "common/moe/routers/router_losses.hpp"

#include <limits>

#include "common/moe/routers/router_ops.hpp"
#include "kernels/routing_plan/routing_plan.hpp"

namespace moe {
namespace {

// count (S, E) of the choices of S sequences.
Tensor count_by_sequence(ForwardContext& f, const Tensor& choices, std::int64_t E) {
  MOE_CHECK(f.tokens && f.tokens->sequences > 0, "a balance loss over sequences needs to know them");
  const std::int64_t S = f.tokens->sequences, n = choices.numel();
  MOE_CHECK(n % S == 0 && S * E <= std::numeric_limits<std::int32_t>::max(), n, " choices in ", S,
            " sequences");
  const Tensor key = Tensor::empty(f.ctx, DType::i32, {n}), count = Tensor::empty(f.ctx, DType::i32, {S, E});
  group_keys(f.ctx, key.data<std::int32_t>(), choices.data<std::int32_t>(), n, n / S, E);
  histogram(f.ctx, count.data<std::int32_t>(), key.data<std::int32_t>(), n, S * E);
  return count;
}

}  // namespace

RouterLosses::RouterLosses(const MoeConfig& config, Parameter& weight)
    : scope_(config.balance == "sequence" ? Scope::sequence
             : config.balance == "global" ? Scope::global
                                          : Scope::batch),
      balance_(config.balance_coefficient),
      z_(config.z_coefficient),
      entropy_(config.entropy_coefficient) {
  if (scope_ == Scope::global) weight.after_step = [this](Context&) { total_ = {}; };
}

Tensor RouterLosses::scoped(ForwardContext& f, const Tensor& choices, const Tensor& count) {
  if (scope_ == Scope::sequence) return count_by_sequence(f, choices, count.numel());
  if (scope_ == Scope::batch || !f.training) return count;
  total_.add(f.ctx, count, 0);
  return total_.count;
}

Tensor RouterLosses::push(ForwardContext& f, const Value& logits, const ops::SoftmaxResult& soft,
                          const Tensor& choices) {
  if (f.losses && scope_ == Scope::batch) {
    const ops::GateLosses losses = ops::gate_losses(f, logits, soft, choices);
    f.losses->items.push_back({"aux", losses.balance, balance_});
    f.losses->items.push_back({"z", losses.z, z_});
    return losses.count;
  }
  const Tensor count = count_choices(f.ctx, choices, logits.tensor.size(-1));
  push_balance(f, soft.probability, choices, count);
  push_z(f, logits, soft);
  return count;
}

void RouterLosses::push_balance(ForwardContext& f, const Value& probability, const Tensor& choices,
                                const Tensor& count, std::int64_t nulls) {
  if (!f.losses) return;  // so a pass that is run again counts once
  Tensor load = scoped(f, choices, count);
  if (nulls > 0) {
    StepLoad own;  // the original is still wanted
    own.add(f.ctx, load, 0);
    load = own.count;
    const std::int64_t E = count.numel();
    MOE_CHECK(choices.numel() * nulls <= std::numeric_limits<std::int32_t>::max(), choices.numel(),
              " choices with ", nulls, " null experts");
    even_out_nulls(f.ctx, load.data<std::int32_t>(), load.numel() / E, E - nulls, nulls);
  }
  f.losses->items.push_back({"aux", ops::balance_loss(f, probability, load), balance_});
}

void RouterLosses::push_z(ForwardContext& f, const Value& logits, const ops::SoftmaxResult& soft) const {
  if (f.losses) f.losses->items.push_back({"z", ops::z_loss(f, logits, soft), z_});
}

void RouterLosses::push_entropy(ForwardContext& f, const Value& probability) const {
  if (f.losses) f.losses->items.push_back({"entropy_loss", ops::entropy_loss(f, probability), entropy_});
}

}  // namespace moe
