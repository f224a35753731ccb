// Nodes of the tape that only routers need; the others are in common/ops.
#pragma once

#include "common/moe/config.hpp"
#include "common/ops/ops.hpp"
#include "kernels/choice/choice.hpp"

namespace moe::ops {

Value sigmoid(ForwardContext& f, const Value& x);

// Rows of scores >= 0 divided by their sums, guarded as weigh_choice's.
Value normalised(ForwardContext& f, const Value& score);

// (N, E): the weights of the choices (N, K) in their experts' columns, 0 elsewhere.
Value spread_choice(ForwardContext& f, const Value& weight, const Tensor& expert, std::int64_t E);

// weight (N, K) of the choices (N, K) from score (N, E); kernels/choice has the rules. The shape's N, E, K are filled in.
Value weigh_choice(ForwardContext& f, const Value& score, const Tensor& expert, ChoiceShape rules = {});

// (C, R) of (R, C): i32 as it is, f32 and f64 with a gradient.
Tensor transposed(Context& ctx, const Tensor& x);
Value transposed(ForwardContext& f, const Value& x);

}  // namespace moe::ops

namespace moe {

// Choices outside of `experts` experts become -1.
Tensor only_experts(Context& ctx, const Tensor& expert, std::int64_t experts);

// The K best of each row of scores (N, E), and those scores; a choice that is no function of the tape.
ops::TopK best_of(Context& ctx, const Tensor& score, std::int64_t K);

// The key of a router's noise in this pass.
RngKey noise_key(const ForwardContext& f);

// How often each of `experts` experts occurs in the choices (N, K): (experts) i32.
Tensor count_choices(Context& ctx, const Tensor& expert, std::int64_t experts);

// Capacity C = ceil(assignments / E · factor): what stands later in the list of a full expert becomes -1 (Switch, section 2.2).
Tensor limit_to_capacity(Context& ctx, const Tensor& expert, std::int64_t experts, double factor);

// "choice", "probability", "expert" and "weight" of router.hpp.
void push_choice(ForwardContext& f, const Tensor& count, const Tensor& probability, const Tensor& expert,
                 const Tensor& weight);

// logits (N, E) of x (N, D), weight (E, D). With config.router_bits, x, weight and logits are rounded to so many bits, as where the
// router runs in bf16 (7); sums and all that follows stay as they are, and so does the gradient on its way back.
Value router_logits(ForwardContext& f, const MoeConfig& config, const Value& x, Parameter& weight);

constexpr double kRouterDeviation = 0.02;  // small: experts start nearly equal and balanced

}  // namespace moe
