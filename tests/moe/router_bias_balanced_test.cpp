#include "common/moe/routers/bias_balanced.hpp"

#include <gtest/gtest.h>

#include "tests/moe/router_case.hpp"

namespace moe::testing {
namespace {

MoeConfig config_of(std::int64_t E, std::int64_t K) {
  MoeConfig c = moe_config({0, E, 4, E, K});
  c.router = "bias_balanced";
  c.bias_rate = 0.25;
  return c;
}

// The score of expert e for a token is sigmoid(its feature e).
struct Plain : RouterCase<double> {
  Plain(Context& on, const MoeConfig& of) : RouterCase<double>(on, of, of.experts) {
    std::vector<double> identity(static_cast<std::size_t>(of.experts * of.experts));
    for (std::int64_t e = 0; e < of.experts; ++e) identity[e * of.experts + e] = 1;
    parameter["weight"]->value = tensor_of<double>(on, identity, {of.experts, of.experts});
    set_bias(std::vector<double>(static_cast<std::size_t>(of.experts), 0));
  }
  void set_bias(const std::vector<double>& b) {
    parameter["bias"]->value = tensor_of<double>(ctx, b, {config.experts});
  }
  std::vector<double> bias() { return values_of<double>(parameter["bias"]->value); }
  void end_step() { parameter["bias"]->after_step(ctx); }
};

double sigmoid_of(double x) {
  return 1 / (1 + std::exp(-x));
}

TEST(BiasBalanced, TheBiasChoosesButNeverWeighs) {
  Context ctx;
  MoeConfig config = config_of(4, 2);
  config.gate_scale = 2.5;
  Plain router(ctx, config);
  const Batch b{4, {3, 2, 1, 0}, {0}};
  const double s0 = sigmoid_of(3), s1 = sigmoid_of(2), s3 = sigmoid_of(0);
  EXPECT_TRUE(
      same(router.route(b).decisions, {{{0, 2.5 * s0 / (s0 + s1)}, {1, 2.5 * s1 / (s0 + s1)}}}, 1e-14));
  router.set_bias({0, 0, 0, 1});
  EXPECT_TRUE(
      same(router.route(b).decisions, {{{0, 2.5 * s0 / (s0 + s3)}, {3, 2.5 * s3 / (s0 + s3)}}}, 1e-14));
}

// Four groups of two; alone the best two experts are 0 and 2, but groups 1 and 3 have the best pairs.
TEST(BiasBalanced, GroupsLimitTheChoice) {
  Context ctx;
  MoeConfig config = config_of(8, 2);
  const Batch b{8, {3, -9, 2, 1.9, -9, -9, 1.8, 1.7}, {0}};
  const auto experts = [&] {
    const auto choices = Plain(ctx, config).route(b).decisions[0];
    return std::pair(choices.at(0).first, choices.at(1).first);
  };
  EXPECT_EQ(experts(), std::pair(0, 2));
  config.groups = 4, config.kept_groups = 1;
  EXPECT_EQ(experts(), std::pair(2, 3));
  config.kept_groups = 4;
  EXPECT_EQ(experts(), std::pair(0, 2));
}

TEST(BiasBalanced, MovesOnceAStepByTheLoadsOfAllItsTrainingPasses) {
  Context ctx;
  Plain router(ctx, config_of(3, 1));
  // Far from ties, so that a bias of 0.25 changes no choice.
  const Batch to_0{3, {5, -5, -5}, {0}}, to_1{3, {-5, 5, -5}, {0}}, to_2{3, {-5, -5, 5}, {0}};
  router.end_step();
  EXPECT_EQ(router.bias(), (std::vector<double>{0, 0, 0}));
  router.route(to_0);  // no training
  router.end_step();
  EXPECT_EQ(router.bias(), (std::vector<double>{0, 0, 0}));
  router.training = true;
  for (const Batch& b : {to_0, to_0, to_1}) router.route(b);
  EXPECT_EQ(router.bias(), (std::vector<double>{0, 0, 0}));  // not yet
  router.end_step();
  EXPECT_EQ(router.bias(), (std::vector<double>{-0.25, 0, 0.25}));  // loads 2, 1, 0; mean 1
  router.end_step();
  EXPECT_EQ(router.bias(), (std::vector<double>{-0.25, 0, 0.25}));  // once
  for (const Batch& b : {to_0, to_1, to_2}) router.route(b);
  router.end_step();
  EXPECT_EQ(router.bias(), (std::vector<double>{-0.25, 0, 0.25}));  // balanced
}

TEST(BiasBalanced, ARecomputedPassCountsOnce) {
  Context ctx;
  Plain router(ctx, config_of(3, 1));
  ForwardContext f{.ctx = ctx, .training = true};  // without sinks, as inside a recomputed segment
  router.router->route(f, router.input({3, {2, 1, 0}, {0}}));
  router.end_step();
  EXPECT_EQ(router.bias(), (std::vector<double>{0, 0, 0}));
}

TEST(BiasBalanced, PushedCountsStayWhatTheyWere) {
  Context ctx;
  Plain router(ctx, config_of(3, 1));
  router.training = true;
  const Batch to_0{3, {2, 1, 0}, {0}};
  const Outcome first = router.route(to_0);
  router.route(to_0);
  EXPECT_EQ(values_of<std::int32_t>(metric(first.metrics, "choice")), (std::vector<std::int32_t>{1, 0, 0}));
}

// Every token prefers expert 0 by a little: the bias alone evens the loads out.
TEST(BiasBalanced, BalancesALopsidedRouter) {
  Context ctx;
  MoeConfig config = config_of(4, 1);
  config.bias_rate = 0.01;
  Plain router(ctx, config);
  router.training = true;
  Batch b = random_batch(256, 4, 11);
  for (std::int64_t n = 0; n < 256; ++n) b.x[n * 4] += 1.5;
  const auto most = [&] {
    const auto count = values_of<std::int32_t>(metric(router.route(b).metrics, "choice"));
    return *std::max_element(count.begin(), count.end());
  };
  EXPECT_GT(most(), 130);
  for (int step = 0; step < 100; ++step) {
    router.route(b);
    router.end_step();
  }
  EXPECT_LT(most(), 75);
}

TEST(BiasBalanced, GroupsThatCannotWorkAreUsageErrors) {
  Context ctx;
  for (const auto& [groups, kept, K] : {std::tuple{3, 1, 2}, {0, 1, 2}, {4, 5, 2}, {4, 0, 2}, {4, 1, 3}}) {
    MoeConfig config = config_of(8, K);
    config.groups = groups, config.kept_groups = kept;
    EXPECT_THROW(make_router(ctx, DType::f32, config, 4), UserError) << groups << " " << kept << " " << K;
  }
}

}  // namespace
}  // namespace moe::testing
