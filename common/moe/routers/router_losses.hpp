// RouterLosses: what a router pushes to the LossSink, with the coefficients of its config.
#pragma once

#include "common/moe/config.hpp"
#include "common/moe/routers/step_load.hpp"
#include "common/ops/ops.hpp"

namespace moe {

// The load-balancing loss E·Σ f·P evens out what MoeConfig::balance says:
//   batch     f and P are those of the pass (Switch, arXiv:2101.03961)
//   sequence  each sequence by itself, mean over sequences (DeepSeek-V3, arXiv:2412.19437, eq. 17): the strictest
//   global    f counts all passes since the last optimizer step, P is the pass's (arXiv:2501.11873): over several
//             micro-batches a domain may keep experts of its own. With one pass a step it is `batch`.
// f is divided by K: perfect balance costs exactly 1 for any K.
class RouterLosses {
 public:
  // `weight`: a parameter of the router that owns this; neither may move. Its after_step begins a new global count.
  RouterLosses(const MoeConfig& config, Parameter& weight);

  // "aux" and "z" of a softmax router: what push_balance and push_z push, in one pass where the balance is of the batch. Returns
  // the counts (E) of the choices (N, K), also where nobody wants losses.
  Tensor push(ForwardContext& f, const Value& logits, const ops::SoftmaxResult& soft, const Tensor& choices);
  // "aux". probability (N, E); choices (N, K), or any list that names the sequences' tokens in order, before capacity
  // dropping; count (E): how often each expert was chosen. Of the last `nulls` experts only the sum of loads matters.
  void push_balance(ForwardContext& f, const Value& probability, const Tensor& choices, const Tensor& count,
                    std::int64_t nulls = 0);
  // "z" of the scores before softmax.
  void push_z(ForwardContext& f, const Value& logits, const ops::SoftmaxResult& soft) const;
  // "entropy_loss": pushes a token's distribution towards a decision.
  void push_entropy(ForwardContext& f, const Value& probability) const;

 private:
  Tensor scoped(ForwardContext& f, const Tensor& choices, const Tensor& count);

  enum class Scope { batch, sequence, global } scope_;
  double balance_, z_, entropy_;
  StepLoad total_;
};

}  // namespace moe
