#include "common/moe/routing.hpp"

#include <limits>

#include "kernels/routing_plan/routing_plan.hpp"

namespace moe {
namespace {

// Of a list in any order: sorted by expert, and by token for the way back.
SparsePlan plan_of_list(Context& ctx, const Routing& routing, std::int64_t N, std::int64_t E) {
  const std::int64_t A = routing.expert.numel();
  MOE_CHECK(routing.token.numel() == A, routing.token.numel(), " tokens for ", A, " assignments");
  const auto integers = [&](std::int64_t n) { return Tensor::empty(ctx, DType::i32, {n}); };
  const auto at = [](const Tensor& t) { return t.data<std::int32_t>(); };
  const ops::RowMap map{
      .row = integers(A), .per_token = 0, .token_offset = integers(N + 1), .element = integers(A)};
  const SparsePlan plan{.map = map, .offset = integers(E + 1), .row = integers(A)};
  sort_by_key(ctx, at(plan.offset), nullptr, at(plan.row), at(routing.expert), A, E);
  sort_by_key(ctx, at(map.token_offset), at(map.element), nullptr, at(routing.token), A, N);
  look_up(ctx, at(map.row), at(plan.row), at(map.element), A);
  return plan;
}

}  // namespace

Dispatch dispatch_tokens(ForwardContext& f, const Routing& routing, const Value& x, std::int64_t E) {
  const std::int64_t A = routing.expert.numel(), N = x.tensor.rows(), K = routing.per_token;
  MOE_CHECK(routing.weight.tensor.numel() == A, routing.weight.tensor.numel(), " weights for ", A,
            " assignments");
  MOE_CHECK(A <= std::numeric_limits<std::int32_t>::max() && N < std::numeric_limits<std::int32_t>::max(), A,
            " assignments do not fit 32-bit rows: use a smaller batch");
  if (K == 0) {
    const SparsePlan plan = plan_of_list(f.ctx, routing, N, E);
    return {plan, ops::gather_rows(f, x, plan.map)};
  }
  MOE_CHECK(A == N * K, A, " assignments of ", N, " tokens by ", K);
  const ops::Dispatched d = ops::dispatch_rows(f, x, routing.expert, E);
  return {{.map = d.map, .offset = d.offset, .row = d.map.row}, d.rows};
}

}  // namespace moe
