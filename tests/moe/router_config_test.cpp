// What a router makes of its configuration: the fields it fixes, and how its parameters start.
#include <gtest/gtest.h>

#include "common/moe/routers/router_ops.hpp"
#include "tests/moe/router_case.hpp"

namespace moe::testing {
namespace {

MoeConfig config_of(const char* router, std::int64_t E, std::int64_t K) {
  MoeConfig c = moe_config({0, 9, 4, E, K});
  c.router = router;
  return c;
}

TEST(RouterConfig, FieldsThatARouterFixesAreResolved) {
  for (const char* router : {"switch", "gshard", "base", "expert_choice"}) {
    MoeConfig c = config_of(router, 8, 3);
    c.renormalise = std::string(router) != "gshard";
    const std::string name = router;
    EXPECT_EQ(resolved(c).renormalise, name == "gshard") << router;
    EXPECT_EQ(resolved(c).top_k, name == "gshard" ? 2 : name == "expert_choice" ? 3 : 1) << router;
  }
  EXPECT_EQ(resolved(config_of("switch", 8, 2)).capacity_factor, 1.25);
  EXPECT_EQ(resolved(config_of("gshard", 8, 2)).capacity_factor, 1);
  EXPECT_EQ(resolved(config_of("expert_choice", 8, 2)).capacity_factor, 1);
}

TEST(RouterConfig, WhatIsAskedForIsNotReplacedByADefault) {
  for (const char* router : {"switch", "gshard", "expert_choice"}) {
    MoeConfig c = config_of(router, 8, 2);
    c.capacity_factor = 0.5;
    EXPECT_EQ(resolved(c).capacity_factor, 0.5) << router;
  }
  MoeConfig nulls = config_of("null_experts", 8, 2), cosine = config_of("cosine", 8, 2);
  nulls.null_experts = 1;
  EXPECT_EQ(resolved(nulls).null_experts, 1);
  cosine.score_width = 3;
  EXPECT_EQ(resolved(cosine).score_width, 3);
}

TEST(RouterConfig, ScoresOfCosineAreHalfAsWideAsThereAreExpertsButNeverALine) {
  for (const auto& [E, width] : {std::pair{1, 2}, {2, 2}, {3, 2}, {6, 3}, {64, 32}})
    EXPECT_EQ(resolved(config_of("cosine", E, 1)).score_width, width) << E;
}

TEST(RouterConfig, ADenseModelIsLeftAlone) {
  for (const RouterRow& row : router_table()) {
    MoeConfig c = config_of(row.name, 0, 2);
    EXPECT_EQ(resolved(c).top_k, 2) << row.name;
    EXPECT_EQ(resolved(c).capacity_factor, 0) << row.name;
    EXPECT_EQ(resolved(c).renormalise, c.renormalise) << row.name;
    EXPECT_EQ(resolved(c).score_width, 0) << row.name;
  }
}

// A checkpoint's shapes, before anything is resolved.
TEST(RouterConfig, ParametersAreThoseOfTheResolvedConfiguration) {
  EXPECT_EQ(router_parameters(config_of("null_experts", 8, 2), 9).at(0).shape, (Shape{16, 9}));
  EXPECT_EQ(router_parameters(config_of("cosine", 8, 2), 9).at(0).shape, (Shape{4, 9}));
}

struct Start {
  const char *router, *name;
  double deviation, initial;
  bool decay;
};

// Weights that nothing trains start as large as they stay; what a rule moves, or a rotation turns, has its own start.
TEST(RouterConfig, ParametersStartAsTheirRoutersSay) {
  const Start starts[] = {{"bias_balanced", "bias", 0, 0, false},
                          {"remoe", "lambda", 0, 1e-8, false},
                          {"cosine", "temperature", 0, std::log(10.0), false},
                          {"cosine", "projection", 1.0 / 3, 0, true},
                          {"hash_balanced", "table", 0, -1, false},
                          {"noisy_top_k", "weight", 0, 0, true},
                          {"noisy_top_k", "noise", 0, 0, true},
                          {"frozen", "weight", 1.0 / 3, 0, true},
                          {"soft_moe", "phi", 1.0 / 3, 0, true},
                          {"top_k", "weight", kRouterDeviation, 0, true}};
  Context ctx;
  for (const Start& start : starts) {
    SCOPED_TRACE(concat(start.router, " ", start.name));
    RouterCase<double> router(ctx, config_of(start.router, 8, 2), 9);
    const Parameter& p = *router.parameter.at(start.name);
    EXPECT_DOUBLE_EQ(p.deviation, start.deviation);
    if (start.deviation == 0) {
      EXPECT_DOUBLE_EQ(p.initial, start.initial);
    }
    EXPECT_EQ(p.decay, start.decay);
  }
}

// A generation has metrics and no losses: it must see the same ones as training.
TEST(RouterConfig, MetricsDoNotDependOnLosses) {
  Context ctx;
  for (const RouterRow& row : router_table()) {
    RouterCase<double> router(ctx, config_of(row.name, 8, 2), 9);
    const Batch b = random_batch(12, 9, 2);
    const Outcome both = router.route(b);
    const TokenInfo info = router.tokens(b);
    MetricSink alone;
    ForwardContext f{.ctx = ctx, .seed = 7, .step = 3, .tokens = &info, .metrics = &alone};
    router.router->route(f, router.input(b));
    ASSERT_EQ(alone.items.size(), both.metrics.items.size()) << row.name;
    for (std::size_t i = 0; i < alone.items.size(); ++i)
      EXPECT_EQ(alone.items[i].name, both.metrics.items[i].name) << row.name;
  }
}

}  // namespace
}  // namespace moe::testing
