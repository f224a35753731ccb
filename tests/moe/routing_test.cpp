// Plans: any list of assignments, token-major or not.
#include "common/moe/routing.hpp"

#include <gtest/gtest.h>

#include "tests/support/gradients.hpp"

namespace moe::testing {
namespace {

using Ints = std::vector<std::int32_t>;

Ints ints(const Tensor& t) {
  return values_of<std::int32_t>(t);
}

Routing routing_of(Context& ctx, const Ints& expert, const Ints& token, std::int64_t K) {
  const auto M = static_cast<std::int64_t>(expert.size());
  Routing r{.expert = tensor_of<std::int32_t>(ctx, expert, {M}),
            .weight = normal_tensor(ctx, {M}, 4),
            .token = {},
            .per_token = K};
  if (K == 0) r.token = tensor_of<std::int32_t>(ctx, token, {M});
  return r;
}

// The plan alone: of N tokens of width 1.
SparsePlan plan_of(Context& ctx, const Routing& routing, std::int64_t N, std::int64_t E) {
  ForwardContext f{.ctx = ctx};
  return dispatch_tokens(f, routing, normal_tensor(ctx, {N, 1}, 2), E).plan;
}

TEST(Plan, ATokenMajorListByHand) {
  Context ctx;  // three tokens by two; token 1's second choice was dropped
  const SparsePlan plan = plan_of(ctx, routing_of(ctx, {2, 0, 2, -1, 0, 1}, {}, 2), 3, 4);
  EXPECT_EQ(ints(plan.offset), (Ints{0, 2, 3, 5, 5}));
  EXPECT_EQ(ints(plan.row), (Ints{3, 0, 4, -1, 1, 2}));
  EXPECT_EQ(ints(plan.map.row), (Ints{3, 0, 4, -1, 1, 2}));
  EXPECT_EQ(plan.map.per_token, 2);
  EXPECT_EQ(plan.map.N(), 3);
}

// Expert choice: expert 0 took tokens 2 and 0, expert 1 took 2 twice (a token routed twice), expert 2 nobody, expert 3
// token 0 and one that was dropped. Token 1 goes nowhere.
TEST(Plan, AnyOtherListByHand) {
  Context ctx;
  const SparsePlan plan = plan_of(ctx, routing_of(ctx, {0, 0, 1, 1, 3, -1}, {2, 0, 2, 2, 0, 1}, 0), 3, 4);
  EXPECT_EQ(ints(plan.offset), (Ints{0, 2, 4, 4, 5}));
  EXPECT_EQ(ints(plan.row), (Ints{0, 1, 2, 3, 4, -1}));
  EXPECT_EQ(ints(plan.map.token_offset), (Ints{0, 2, 3, 6}));
  EXPECT_EQ(ints(plan.map.element), (Ints{1, 4, 5, 0, 2, 3}));
  EXPECT_EQ(ints(plan.map.row), (Ints{1, 4, -1, 0, 2, 3}));
  EXPECT_EQ(plan.map.N(), 3);
}

// Dispatch, an "expert" that multiplies by its number + 1, combine; against a loop over the list.
void round_trip(const Ints& expert, const Ints& token, std::int64_t K, std::int64_t N, std::int64_t E) {
  constexpr std::int64_t D = 3;
  Context ctx(2);
  const Routing routing = routing_of(ctx, expert, token, K);
  const Tensor x = normal_tensor(ctx, {N, D}, 1);
  ForwardContext f{.ctx = ctx};
  const auto [plan, moved] = dispatch_tokens(f, routing, x, E);
  const auto scaled = [&, offset = ints(plan.offset)](const Value& rows) {
    const Tensor y = copy_of(f, rows).tensor;
    for (std::int64_t e = 0; e < E; ++e)
      for (std::int64_t i = offset[e] * D; i < offset[e + 1] * D; ++i)
        y.data<double>()[i] *= static_cast<double>(e + 1);
    return y;
  };
  const auto y = values_of<double>(ops::combine_rows(f, scaled(moved), routing.weight, plan.map).tensor);

  std::vector<double> expected(static_cast<std::size_t>(N * D));
  for (std::size_t i = 0; i < expert.size(); ++i) {
    const std::int64_t n = K > 0 ? static_cast<std::int64_t>(i) / K : token[i];
    for (std::int64_t d = 0; d < D && expert[i] >= 0; ++d)
      expected[n * D + d] +=
          routing.weight.tensor.data<double>()[i] * (expert[i] + 1) * x.data<double>()[n * D + d];
  }
  EXPECT_TRUE(close(y, expected, {1e-14, 1e-14})) << "N " << N << " K " << K;
}

TEST(Plan, CarriesEveryRowThereAndBack) {
  for (const std::int64_t N : {1, 31, 33, 129})
    for (const std::int64_t K : {0, 1, 3}) {
      Ints expert, token;
      for (std::int64_t i = 0; i < N * (K > 0 ? K : 2); ++i) {
        const auto r = philox({.seed = 5}, static_cast<std::uint64_t>(i));
        expert.push_back(static_cast<std::int32_t>(r[0] % 6) - 1);
        token.push_back(static_cast<std::int32_t>(r[1] % static_cast<std::uint32_t>(N)));
      }
      round_trip(expert, token, K, N, 5);
    }
}

// The same decisions as a token-major list and as any list give the same plan.
TEST(Plan, ATokenMajorListIsASpecialCase) {
  Context ctx;
  const Ints expert{2, 0, 2, -1, 0, 1};
  const SparsePlan a = plan_of(ctx, routing_of(ctx, expert, {}, 2), 3, 4);
  const SparsePlan b = plan_of(ctx, routing_of(ctx, expert, {0, 0, 1, 1, 2, 2}, 0), 3, 4);
  EXPECT_EQ(ints(a.offset), ints(b.offset));
  EXPECT_EQ(ints(a.row), ints(b.row));
  EXPECT_EQ(ints(a.map.row), ints(b.map.row));
  EXPECT_EQ(ints(b.map.token_offset), (Ints{0, 2, 4, 6}));
  EXPECT_EQ(ints(b.map.element), (Ints{0, 1, 2, 3, 4, 5}));
}

TEST(Plan, AnEmptyListIsAPlan) {
  Context ctx;
  for (const std::int64_t K : {0, 2}) {
    const SparsePlan plan = plan_of(ctx, routing_of(ctx, {}, {}, K), 0, 3);
    EXPECT_EQ(ints(plan.offset), (Ints{0, 0, 0, 0}));
    EXPECT_EQ(plan.map.N(), 0);
  }
}

TEST(Plan, RefusesListsOfOtherLengths) {
  Context ctx;
  EXPECT_THROW(plan_of(ctx, routing_of(ctx, {0, 1, 0}, {}, 2), 2, 2), Error);
  Routing short_weights = routing_of(ctx, {0, 1}, {0, 1}, 0);
  short_weights.weight = normal_tensor(ctx, {1}, 1);
  EXPECT_THROW(plan_of(ctx, short_weights, 2, 2), Error);
  Routing short_tokens = routing_of(ctx, {0, 1}, {0, 1}, 0);
  short_tokens.token = tensor_of<std::int32_t>(ctx, {0}, {1});
  EXPECT_THROW(plan_of(ctx, short_tokens, 2, 2), Error);
}

}  // namespace
}  // namespace moe::testing
