#include "common/moe/routing.hpp"

#include <limits>

#include "kernels/routing_plan/routing_plan.hpp"

namespace moe {

SparsePlan make_plan(Context& ctx, const Routing& routing, std::int64_t N, std::int64_t E) {
  const std::int64_t A = routing.expert.numel(), K = routing.per_token;
  MOE_CHECK(routing.weight.tensor.numel() == A, routing.weight.tensor.numel(), " weights for ", A,
            " assignments");
  MOE_CHECK(A <= std::numeric_limits<std::int32_t>::max() && N < std::numeric_limits<std::int32_t>::max(), A,
            " assignments do not fit 32-bit rows: use a smaller batch");
  const auto integers = [&](std::int64_t n) { return Tensor::empty(ctx, DType::i32, {n}); };
  const auto at = [](const Tensor& t) { return t.data<std::int32_t>(); };
  SparsePlan plan{.map = {}, .offset = integers(E + 1), .row = integers(A)};
  sort_by_key(ctx, at(plan.offset), nullptr, at(plan.row), at(routing.expert), A, E);
  if (K > 0) {
    MOE_CHECK(A == N * K, A, " assignments of ", N, " tokens by ", K);
    plan.map = {.row = plan.row, .per_token = K, .token_offset = {}, .element = {}};
    return plan;
  }
  MOE_CHECK(routing.token.numel() == A, routing.token.numel(), " tokens for ", A, " assignments");
  plan.map = {.row = integers(A), .per_token = 0, .token_offset = integers(N + 1), .element = integers(A)};
  sort_by_key(ctx, at(plan.map.token_offset), at(plan.map.element), nullptr, at(routing.token), A, N);
  look_up(ctx, at(plan.map.row), at(plan.row), at(plan.map.element), A);
  return plan;
}

}  // namespace moe
