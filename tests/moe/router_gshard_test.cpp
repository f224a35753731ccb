#include "common/moe/routers/gshard.hpp"

#include <gtest/gtest.h>

#include "tests/moe/router_case.hpp"

namespace moe::testing {
namespace {

// The logit of expert e for a token is its feature e.
struct Plain : RouterCase<double> {
  Plain(Context& on, std::int64_t E, double factor) : RouterCase<double>(on, config_of(E, factor), E) {
    std::vector<double> identity(static_cast<std::size_t>(E * E));
    for (std::int64_t e = 0; e < E; ++e) identity[e * E + e] = 1;
    parameter["weight"]->value = tensor_of<double>(on, identity, {E, E});
  }
  static MoeConfig config_of(std::int64_t E, double factor) {
    MoeConfig c = moe_config({0, E, 4, E, 2});
    c.router = "gshard";
    c.capacity_factor = factor;
    return c;
  }
};

// First choices 0, 2, 0, 0, second ones 1, 0, 3, 1; an expert takes two: expert 0 two of its first choices, not token 1.
TEST(GShard, SecondChoicesQueueBehindAllFirstOnes) {
  Context ctx;
  Plain router(ctx, 4, 1);
  const Outcome o = router.route({4, {2, 1, -9, -9, 1, -9, 2, -9, 2, -9, -9, 1, 2, 1, -9, -9}, {0, 0, 0, 0}});
  const double first = 1 / (1 + std::exp(-1)), second = 1 - first;
  EXPECT_TRUE(same(o.decisions,
                   {{{0, first}, {1, second}}, {{2, first}}, {{0, first}, {3, second}}, {{1, second}}},
                   1e-14));
  EXPECT_EQ(values_of<std::int32_t>(metric(o.metrics, "choice")), (std::vector<std::int32_t>{4, 2, 1, 1}));
  // The balance loss counts the first choices alone: 3, 0, 1, 0.
  const auto p = values_of<double>(metric(o.metrics, "probability"));
  double balance = 0;
  for (int n = 0; n < 4; ++n) balance += 0.75 * p[4 * n] + 0.25 * p[4 * n + 2];
  EXPECT_EQ(o.losses.items.at(0).name, "aux");
  EXPECT_NEAR(scalar_of(o.losses.items.at(0).loss.tensor), balance, 1e-14);
}

// Weights 0.8 and 0.2: the second expert stays with probability 0.4, drawn by seed, step, layer and the token's index in the run.
TEST(GShard, TheDrawIsThatOfSeedStepLayerAndGlobalToken) {
  Context ctx;
  Plain router(ctx, 2, 100);
  const auto seconds = [&](std::int64_t N, std::uint32_t step, int layer, std::int64_t first_token,
                           std::uint64_t seed = 7) {
    Batch b{2, {}, std::vector<std::int32_t>(static_cast<std::size_t>(N))};
    for (std::int64_t n = 0; n < N; ++n) b.x.insert(b.x.end(), {std::log(4.0), 0});
    TokenInfo info = router.tokens(b);
    info.first_token = first_token;
    ForwardContext f{
        .ctx = ctx, .seed = seed, .step = step, .training = true, .tokens = &info, .layer = layer};
    const auto expert = values_of<std::int32_t>(router.router->route(f, router.input(b)).expert);
    std::vector<std::int32_t> second;
    for (std::int64_t n = 0; n < N; ++n) second.push_back(expert[2 * n + 1]);
    return second;
  };
  const auto all = seconds(2000, 3, 1, 0);
  EXPECT_NEAR(static_cast<double>(std::count(all.begin(), all.end(), 1)), 800, 5 * std::sqrt(480));
  EXPECT_NE(seconds(2000, 4, 1, 0), all);
  EXPECT_NE(seconds(2000, 3, 2, 0), all);
  EXPECT_NE(seconds(2000, 3, 1, 0, 8), all);
  EXPECT_EQ(seconds(1923, 3, 1, 77), std::vector<std::int32_t>(all.begin() + 77, all.end()));
}

}  // namespace
}  // namespace moe::testing
