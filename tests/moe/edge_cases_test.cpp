// Loads at the edge: nobody, everybody to one expert, ties, NaN, capacities.
#include <gtest/gtest.h>

#include "tests/moe/support.hpp"

namespace moe::testing {
namespace {

using Doubles = std::vector<double>;

// Router rows 10·e: a token whose first feature is positive prefers the last expert, a negative one the first.
Doubles ramp(std::int64_t E, std::int64_t D) {
  Doubles w(static_cast<std::size_t>(E * D));
  for (std::int64_t e = 0; e < E; ++e) w[e * D] = static_cast<double>(10 * e);
  return w;
}

Doubles tokens_with_first_feature(std::int64_t N, std::int64_t D,
                                  const std::function<double(std::int64_t)>& feature) {
  Doubles x = random_normal<double>(N * D, 3);
  for (std::int64_t n = 0; n < N; ++n) x[n * D] = feature(n);
  return x;
}

TEST(MoeLayerEdge, ZeroTokensGiveNothingAndZeroGradients) {
  for (const char* router : {"top_k", "switch"}) {
    MoeConfig config = moe_config({0, 6, 5, 4, 2});
    config.router = router;
    TestLayer<double> test(config, 6, 5);
    EXPECT_TRUE(test.forward({}).empty());
    const auto pass = test.train({}, {});
    EXPECT_EQ(load_of(pass.metrics), (std::vector<std::int32_t>{0, 0, 0, 0}));
    EXPECT_EQ(pass.drouter, Doubles(4 * 6, 0));
    EXPECT_EQ(pass.dgate_up, Doubles(4 * 10 * 6, 0));
    EXPECT_EQ(pass.ddown, Doubles(4 * 6 * 5, 0));
    for (const LossSink::Item& item : pass.losses.items)
      EXPECT_EQ(scalar_of(item.loss.tensor), 0) << item.name;
  }
}

TEST(MoeLayerEdge, AllTokensToOneExpertLeaveTheOthersWithoutGradient) {
  const Sizes s{33, 6, 5, 4, 1};
  MoeConfig config = moe_config(s);
  config.renormalise = false;
  TestLayer<double> test(config, s.D, s.F);
  test.set("gate.weight", ramp(s.E, s.D));
  const auto x = tokens_with_first_feature(s.N, s.D, [](auto) { return 1.0; });
  const auto pass = test.train(x, random_normal<double>(s.N * s.D, 4));
  EXPECT_EQ(load_of(pass.metrics), (std::vector<std::int32_t>{0, 0, 0, 33}));
  const auto others = static_cast<std::ptrdiff_t>(3 * 2 * s.F * s.D);
  EXPECT_EQ(Doubles(pass.dgate_up.begin(), pass.dgate_up.begin() + others), Doubles(others, 0));
  EXPECT_NE(pass.dgate_up[others], 0);
  EXPECT_EQ(Doubles(pass.ddown.begin(), pass.ddown.begin() + 3 * s.D * s.F), Doubles(3 * s.D * s.F, 0));
}

// With K = E and equal weights the layer is the mean of its experts, in whatever order.
TEST(MoeLayerEdge, TiesGoToTheLowerExpertsWithEqualWeights) {
  const Sizes s{5, 6, 5, 8, 4};
  TestLayer<double> test(moe_config(s), s.D, s.F);
  test.set("gate.weight", Doubles(8 * 6, 0));
  MetricSink metrics;
  test.forward(random_normal<double>(s.N * s.D, 3), &metrics);
  std::vector<std::int32_t> lower;
  for (int n = 0; n < 5; ++n) lower.insert(lower.end(), {0, 1, 2, 3});
  EXPECT_EQ(values_of<std::int32_t>(metric(metrics, "expert")), lower);
  EXPECT_EQ(values_of<double>(metric(metrics, "weight")), Doubles(20, 0.25));
  EXPECT_EQ(values_of<double>(metric(metrics, "probability")), Doubles(40, 0.125));
}

TEST(MoeLayerEdge, OneExpertIsADenseFfn) {
  const Sizes s{9, 6, 5, 1, 1};
  TestLayer<double> test(moe_config(s), s.D, s.F);
  const auto x = random_normal<double>(s.N * s.D, 3);
  const auto pass = test.train(x, random_normal<double>(s.N * s.D, 4));
  ForwardContext f{.ctx = test.ctx};
  const Tensor offset = tensor_of<std::int32_t>(test.ctx, {0, 9}, {2});
  const Value y =
      ops::grouped_ffn(f, tensor_of<double>(test.ctx, x, {9, 6}), *test.all()[1], *test.all()[2], offset);
  EXPECT_EQ(pass.y, values_of<double>(y.tensor));
  EXPECT_NEAR(scalar_of(pass.losses.items[0].loss.tensor), 1, 1e-15);
}

TEST(MoeLayerEdge, ATokenOfNaNSpoilsOnlyItsOwnOutput) {
  const Sizes s{33, 6, 5, 4, 2};
  for (const char* router : {"top_k", "switch"}) {
    MoeConfig config = moe_config(s);
    config.router = router;
    config.capacity_factor = 100;
    TestLayer<double> test(config, s.D, s.F);
    auto x = random_normal<double>(s.N * s.D, 3);
    const auto before = test.forward(x);
    x[7 * s.D + 2] = NAN;
    MetricSink metrics;
    const auto after = test.forward(x, &metrics);
    for (std::int64_t n = 0; n < s.N; ++n) {
      if (n != 7)
        EXPECT_TRUE(close(row(after, n, s.D), row(before, n, s.D), {1e-14, 1e-14})) << n;
      else
        for (const double v : row(after, n, s.D)) EXPECT_TRUE(std::isnan(v));
    }
    const std::size_t K = std::string(router) == "switch" ? 1 : 2;
    const auto expert = values_of<std::int32_t>(metric(metrics, "expert"));
    for (std::size_t k = 0; k < K; ++k) EXPECT_EQ(expert[7 * K + k], static_cast<int>(k));
  }
}

// Capacity ceil(9/3 · 1) = 3: tokens 0..8 want expert 2, all but three lose it.
TEST(MoeLayerEdge, LaterTokensOfAFullExpertAreDropped) {
  const Sizes s{9, 6, 5, 3, 1};
  MoeConfig config = moe_config(s);
  config.router = "switch";
  config.capacity_factor = 1;
  TestLayer<double> test(config, s.D, s.F);
  test.set("gate.weight", ramp(s.E, s.D));
  const auto x = tokens_with_first_feature(s.N, s.D, [](std::int64_t n) { return n == 4 ? -1.0 : 1.0; });
  Doubles dy(static_cast<std::size_t>(s.N * s.D), 0);
  for (std::int64_t i = 5 * s.D; i < s.N * s.D; ++i) dy[i] = 1;  // gradients arrive at dropped tokens only
  const auto pass = test.train(x, dy);
  EXPECT_EQ(load_of(pass.metrics), (std::vector<std::int32_t>{1, 0, 3}));
  EXPECT_EQ(values_of<std::int32_t>(metric(pass.metrics, "choice")), (std::vector<std::int32_t>{1, 0, 8}));
  for (std::int64_t n = 0; n < s.N; ++n) {
    const bool dropped = n == 3 || n > 4;
    if (dropped)
      EXPECT_EQ(row(pass.y, n, s.D), Doubles(s.D, 0)) << n;
    else
      EXPECT_NE(row(pass.y, n, s.D), Doubles(s.D, 0)) << n;
  }
  EXPECT_EQ(pass.dgate_up, Doubles(pass.dgate_up.size(), 0));
  EXPECT_EQ(pass.ddown, Doubles(pass.ddown.size(), 0));
}

TEST(MoeLayerEdge, DroppedTokensGetNoGradientFromTheExperts) {
  const Sizes s{9, 6, 5, 3, 1};
  MoeConfig config = moe_config(s);
  config.router = "switch";
  config.capacity_factor = 1;
  config.balance_coefficient = config.z_coefficient = 0;
  TestLayer<double> test(config, s.D, s.F);
  test.set("gate.weight", ramp(s.E, s.D));
  const auto x = tokens_with_first_feature(s.N, s.D, [](auto) { return 1.0; });
  const auto pass = test.train(x, random_normal<double>(s.N * s.D, 4));
  for (std::int64_t n = 0; n < s.N; ++n) {
    if (n < 3)
      EXPECT_NE(row(pass.dx, n, s.D), Doubles(s.D, 0)) << n;
    else
      EXPECT_EQ(row(pass.dx, n, s.D), Doubles(s.D, 0)) << n;
  }
}

TEST(MoeLayerEdge, AHugeCapacityDropsNothing) {
  const Sizes s{33, 6, 5, 4, 2};
  MoeConfig dropless = moe_config(s), huge = moe_config(s);
  const auto x = random_normal<double>(s.N * s.D, 3), dy = random_normal<double>(s.N * s.D, 4);
  const auto expected = TestLayer<double>(dropless, s.D, s.F).train(x, dy);
  for (const double factor : {4.0, 1e6, 1e30, HUGE_VAL}) {
    huge.capacity_factor = factor;
    const auto pass = TestLayer<double>(huge, s.D, s.F).train(x, dy);
    EXPECT_EQ(pass.y, expected.y) << factor;
    EXPECT_EQ(pass.dx, expected.dx) << factor;
  }
}

}  // namespace
}  // namespace moe::testing
