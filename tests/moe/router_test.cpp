#include "common/moe/routers/router.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/moe/support.hpp"

namespace moe::testing {
namespace {

void expect_usage_error(const MoeConfig& config, const std::string& part) {
  Context ctx;
  try {
    make_router(ctx, DType::f32, config, 4);
    ADD_FAILURE() << "accepted";
  } catch (const UserError& e) {
    EXPECT_EQ(e.code(), ExitCode::usage);
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

TEST(Router, AnUnknownNameIsAUsageErrorThatListsTheNames) {
  MoeConfig config = moe_config({0, 4, 4, 4, 2});
  config.router = "oracle";
  expect_usage_error(config, "'oracle'");
  for (const RouterRow& row : router_table()) expect_usage_error(config, row.name);
}

TEST(Router, KOutsideOneToEIsAUsageError) {
  for (const std::int64_t K : {-1, 0, 5}) expect_usage_error(moe_config({0, 4, 4, 4, K}), "1 to 4");
  expect_usage_error(moe_config({0, 4, 4, 0, 1}), "");
}

TEST(Router, EveryRowOfTheTableMakesARouter) {
  Context ctx;
  std::set<std::string> names;
  for (const RouterRow& row : router_table()) {
    MoeConfig config = moe_config({0, 4, 4, 4, 2});
    config.router = row.name;
    EXPECT_NE(make_router(ctx, DType::f32, config, 4), nullptr);
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_NE(std::string(row.summary), "");
  }
}

Routing route(TestLayer<double>& test, const std::vector<double>& x, LossSink& losses, MetricSink& metrics,
              const MoeConfig& config) {
  const std::int64_t D = test.all()[0]->value.size(1);
  const auto router = make_router(test.ctx, DType::f64, config, D);
  router->visit([&](const std::string&, Parameter& p) { p.value = test.all()[0]->value; }, "");
  ForwardContext f{.ctx = test.ctx, .losses = &losses, .metrics = &metrics, .layer = 3};
  return router->route(f, tensor_of<double>(test.ctx, x, {static_cast<std::int64_t>(x.size()) / D, D}));
}

// Four tokens, each in love with another expert: perfectly balanced. The coefficient stands apart from the loss.
TEST(Router, TheBalanceLossIsExactlyOneWhenBalanced) {
  for (const std::int64_t K : {1, 2, 4}) {
    MoeConfig config = moe_config({4, 4, 2, 4, K});
    config.balance_coefficient = 0.125;
    config.z_coefficient = 0.25;
    TestLayer<double> test(config, 4, 2);
    std::vector<double> w(16), x(16);
    for (int i = 0; i < 4; ++i)  // token i scores 3, 2, 1, 0 for experts i, i+1, i+2, i+3
      for (int k = 0; k < 4; ++k) w[(i + k) % 4 * 4 + i] = 3 - k;
    for (int i = 0; i < 4; ++i) x[i * 4 + i] = 1;
    test.set("gate.weight", w);
    LossSink losses;
    MetricSink metrics;
    const Routing routing = route(test, x, losses, metrics, config);
    EXPECT_EQ(routing.per_token, K);
    EXPECT_FALSE(routing.token.defined());
    ASSERT_EQ(losses.items.size(), 2u);
    EXPECT_EQ(losses.items[0].coefficient, 0.125);
    EXPECT_NEAR(scalar_of(losses.items[0].loss.tensor), 1, 1e-15);
    EXPECT_EQ(losses.items[1].coefficient, 0.25);
    const double lse = std::log(std::exp(3) + std::exp(2) + std::exp(1) + 1);
    EXPECT_NEAR(scalar_of(losses.items[1].loss.tensor), lse * lse, 1e-13);
    for (const MetricSink::Item& item : metrics.items) EXPECT_EQ(item.layer, 3);
  }
}

// Everybody wants expert 0: E · 1 · P_0. A loss computed after the capacity had dropped all but two would be the same for
// f, so the load is made uneven after dropping: 6 tokens for expert 0, 2 for expert 1, capacity 4.
TEST(Router, TheBalanceLossCountsChoicesBeforeDropping) {
  MoeConfig config = moe_config({8, 2, 2, 2, 1});
  config.router = "switch";
  config.capacity_factor = 1;
  TestLayer<double> test(config, 2, 2);
  test.set("gate.weight", {1, 0, 0, 1});
  std::vector<double> x;
  for (int n = 0; n < 8; ++n) x.insert(x.end(), {n < 6 ? 1.0 : 0.0, n < 6 ? 0.0 : 1.0});
  LossSink losses;
  MetricSink metrics;
  const Routing routing = route(test, x, losses, metrics, config);
  EXPECT_EQ(values_of<std::int32_t>(routing.expert), (std::vector<std::int32_t>{0, 0, 0, 0, -1, -1, 1, 1}));
  EXPECT_EQ(values_of<std::int32_t>(metric(metrics, "expert")), values_of<std::int32_t>(routing.expert));
  EXPECT_EQ(values_of<std::int32_t>(metric(metrics, "choice")), (std::vector<std::int32_t>{6, 2}));
  const double high = std::exp(1) / (std::exp(1) + 1), P0 = (6 * high + 2 * (1 - high)) / 8;
  EXPECT_NEAR(scalar_of(losses.items[0].loss.tensor), 2 * (0.75 * P0 + 0.25 * (1 - P0)), 1e-14);
}

TEST(Router, ZeroScoresGiveTheKnownZLoss) {
  MoeConfig config = moe_config({5, 3, 2, 7, 2});
  TestLayer<double> test(config, 3, 2);
  test.set("gate.weight", std::vector<double>(21, 0));
  LossSink losses;
  MetricSink metrics;
  route(test, random_normal<double>(15, 1), losses, metrics, config);
  EXPECT_NEAR(scalar_of(losses.items[1].loss.tensor), std::log(7.0) * std::log(7.0), 1e-14);
}

TEST(Router, SwitchWeighsWithTheProbabilityWhateverTheConfigSays) {
  MoeConfig config = moe_config({6, 4, 2, 4, 3});
  config.router = "switch";
  config.renormalise = true;
  TestLayer<double> test(config, 4, 2);
  LossSink losses;
  MetricSink metrics;
  const Routing routing = route(test, random_normal<double>(24, 1), losses, metrics, config);
  EXPECT_EQ(routing.per_token, 1);
  const auto p = values_of<double>(metric(metrics, "probability")),
             w = values_of<double>(routing.weight.tensor);
  for (int n = 0; n < 6; ++n) EXPECT_EQ(w[n], *std::max_element(p.begin() + n * 4, p.begin() + n * 4 + 4));
}

TEST(Router, WithoutSinksNothingIsPushed) {
  TestLayer<double> test(moe_config({3, 4, 2, 4, 2}), 4, 2);
  EXPECT_EQ(test.forward(random_normal<double>(12, 1)).size(), 12u);
}

}  // namespace
}  // namespace moe::testing
