// What is particular to sigmoid, cosine, null_experts and top_p, token by token in double.
#include <gtest/gtest.h>

#include "common/moe/routers/router.hpp"
#include "tests/moe/router_case.hpp"

namespace moe::testing {
namespace {

constexpr double kTight = 1e-12;

MoeConfig config_of(const char* router, std::int64_t E, std::int64_t K) {
  MoeConfig c = moe_config({0, E, 4, E, K});
  c.router = router;
  return c;
}

void set(RouterCase<double>& router, const char* name, const std::vector<double>& values) {
  Parameter& p = *router.parameter.at(name);
  p.value = tensor_of<double>(router.ctx, values, p.value.shape());
}

// Scores of expert e: feature e.
std::vector<double> identity(std::int64_t E) {
  std::vector<double> w(static_cast<std::size_t>(E * E));
  for (std::int64_t e = 0; e < E; ++e) w[e * E + e] = 1;
  return w;
}

double loss(const Outcome& o, const std::string& name) {
  for (const LossSink::Item& item : o.losses.items)
    if (item.name == name) return scalar_of(item.loss.tensor);
  ADD_FAILURE() << "no loss " << name;
  return NAN;
}

double sigmoid_of(double x) {
  return 1 / (1 + std::exp(-x));
}

TEST(SigmoidRouter, WeighsTheChosenAgainstEachOtherAndBalancesShares) {
  Context ctx;
  MoeConfig config = config_of("sigmoid", 3, 2);
  config.gate_scale = 2;
  const Batch b{3, {2, 0, 1, -1, 3, 0}, {0, 0}};
  const double s0 = sigmoid_of(2), s1 = sigmoid_of(0), s2 = sigmoid_of(1);
  const double t0 = sigmoid_of(-1), t1 = sigmoid_of(3), t2 = sigmoid_of(0);
  RouterCase<double> router(ctx, config, 3);
  set(router, "weight", identity(3));
  const Outcome o = router.route(b);
  EXPECT_TRUE(same(o.decisions,
                   {{{0, 2 * s0 / (s0 + s2)}, {2, 2 * s2 / (s0 + s2)}},
                    {{1, 2 * t1 / (t1 + t2)}, {2, 2 * t2 / (t1 + t2)}}},
                   kTight));
  const double s = s0 + s1 + s2, t = t0 + t1 + t2;  // choices 1, 1, 2 of 4
  EXPECT_NEAR(loss(o, "aux"),
              3 * (0.25 * (s0 / s + t0 / t) + 0.25 * (s1 / s + t1 / t) + 0.5 * (s2 / s + t2 / t)) / 2,
              kTight);
  config.renormalise = false;
  RouterCase<double> plain(ctx, config, 3);
  set(plain, "weight", identity(3));
  EXPECT_TRUE(
      same(plain.route(b).decisions, {{{0, 2 * s0}, {2, 2 * s2}}, {{1, 2 * t1}, {2, 2 * t2}}}, kTight));
}

// All scores far below zero: a tiny normaliser must not take the balanced loss below its minimum of 1, nor give NaN.
TEST(SigmoidRouter, TinyScoresDoNotCheatTheBalanceLoss) {
  Context ctx;
  RouterCase<double> router(ctx, config_of("sigmoid", 2, 1), 2);
  set(router, "weight", identity(2));
  EXPECT_NEAR(loss(router.route({2, {-30, -31, -31, -30}, {0, 0}}), "aux"), 1, kTight);
  const Outcome under = router.route({2, {-1000, -1000}, {0}});
  EXPECT_EQ(under.decisions, (Decisions{{{0, 0.0}}}));
  EXPECT_EQ(loss(under, "aux"), 0);  // nothing to share
}

TEST(CosineRouter, ComparesDirectionsAtALearnedTemperature) {
  Context ctx;
  MoeConfig config = config_of("cosine", 4, 2);
  config.score_width = 3;
  RouterCase<double> router(ctx, config, 5);
  set(router, "temperature", {1.5});
  const auto P = values_of<double>(router.parameter["projection"]->value),
             w = values_of<double>(router.parameter["weight"]->value);
  Batch b = random_batch(20, 5, 2);
  Decisions expected;
  for (std::int64_t n = 0; n < 20; ++n) {
    std::vector<double> low(3), p(4);
    double length = 0;
    for (int i = 0; i < 3; ++i) {
      for (int d = 0; d < 5; ++d) low[i] += P[i * 5 + d] * b.x[n * 5 + d];
      length += low[i] * low[i];
    }
    for (int e = 0; e < 4; ++e) {
      double along = 0, size = 0;
      for (int i = 0; i < 3; ++i) along += low[i] * w[e * 3 + i], size += w[e * 3 + i] * w[e * 3 + i];
      p[e] = std::exp(std::exp(1.5) * along / std::sqrt(length * size));
    }
    std::vector<int> order = {0, 1, 2, 3};
    std::sort(order.begin(), order.end(), [&](int a, int c) { return p[a] > p[c]; });
    const int first = std::min(order[0], order[1]), second = std::max(order[0], order[1]);
    expected.push_back(
        {{first, p[first] / (p[first] + p[second])}, {second, p[second] / (p[first] + p[second])}});
  }
  EXPECT_TRUE(same(router.route(b).decisions, expected, 1e-9));  // |x|² + 1e-12 stands for |x|²
  for (double& x : b.x) x *= 100;
  EXPECT_TRUE(same(router.route(b).decisions, expected, 1e-9)) << "length does not matter";
}

TEST(CosineRouter, TheTemperatureStopsAtAHundred) {
  Context ctx;
  MoeConfig config = config_of("cosine", 4, 1);
  config.renormalise = false;
  RouterCase<double> router(ctx, config, 5);
  const Batch b = random_batch(9, 5, 2);
  set(router, "temperature", {std::log(100.0)});
  const Decisions at = router.route(b).decisions;
  set(router, "temperature", {50});
  EXPECT_TRUE(same(router.route(b).decisions, at, 1e-9));
  router.train(b);
  EXPECT_EQ(values_of<double>(router.parameter["temperature"]->grad), (std::vector<double>{0}));
}

// Two experts and two nulls; K = 2.
TEST(NullExpertsRouter, ANullChoiceIsNoAssignmentAndTheRestIsRenormalised) {
  Context ctx;
  MoeConfig config = config_of("null_experts", 2, 2);
  EXPECT_EQ(resolved(config).null_experts, 2);
  RouterCase<double> router(ctx, config, 4);
  set(router, "weight", identity(4));
  const Batch b{4, {3, 0, 2, 0, 0, 0, 3, 2, 2, 3, 0, 0, 0, 1, 0, 2}, {0, 0, 0, 0}};
  const Outcome o = router.route(b);
  const double e1 = std::exp(1.0);
  EXPECT_TRUE(
      same(o.decisions, {{{0, 1.0}}, {}, {{0, 1 / (1 + e1)}, {1, e1 / (1 + e1)}}, {{1, 1.0}}}, kTight));
  EXPECT_EQ(values_of<std::int32_t>(metric(o.metrics, "choice")), (std::vector<std::int32_t>{2, 2}));
  // Choices 2, 2, 2, 2 of 8: the nulls' loads 2 and 2 are their mean already.
  EXPECT_NEAR(loss(o, "aux"), 1, kTight);
}

// One token prefers null 2, always: nulls have loads 4 and 0, which count as 2 and 2.
TEST(NullExpertsRouter, TheBalanceLossTakesTheMeanLoadOfTheNulls) {
  Context ctx;
  RouterCase<double> router(ctx, config_of("null_experts", 2, 1), 4);
  set(router, "weight", identity(4));
  std::vector<double> x;
  for (int n = 0; n < 4; ++n) x.insert(x.end(), {0, 1, 2, 0});
  const Outcome o = router.route({4, x, {0, 0, 0, 0}});
  const double sum = 2 + std::exp(1.0) + std::exp(2.0);
  EXPECT_NEAR(loss(o, "aux"), 4 * 0.5 * (std::exp(2.0) + 1) / sum, kTight);
}

TEST(TopPRouter, TakesTheSmallestSetThatReachesTheThreshold) {
  Context ctx;
  MoeConfig config = config_of("top_p", 4, 3);
  config.threshold = 0.6;
  const auto logs = [](std::vector<double> p) {
    for (double& x : p) x = std::log(x);
    return p;
  };
  std::vector<double> x;
  for (const auto& p : {std::vector{0.1, 0.7, 0.1, 0.1}, {0.3, 0.31, 0.2, 0.19}, {0.25, 0.26, 0.24, 0.25}})
    for (const double v : logs(p)) x.push_back(v);
  RouterCase<double> router(ctx, config, 4);
  set(router, "weight", identity(4));
  const Batch b{4, x, {0, 0, 0}};
  const Outcome o = router.route(b);
  EXPECT_TRUE(same(o.decisions,
                   {{{1, 1.0}},
                    {{0, 0.3 / 0.61}, {1, 0.31 / 0.61}},
                    {{0, 0.25 / 0.76}, {1, 0.26 / 0.76}, {3, 0.25 / 0.76}}},
                   kTight));
  double entropy = 0;
  for (const double v : x) entropy -= std::exp(v) * v / 3;
  EXPECT_NEAR(loss(o, "entropy_loss"), entropy, kTight);
  config.top_k = 1;  // the bound
  RouterCase<double> one(ctx, config, 4);
  set(one, "weight", identity(4));
  for (const auto& choices : one.route(b).decisions) EXPECT_EQ(choices.size(), 1u);
  config.top_k = 4, config.threshold = 0;
  RouterCase<double> least(ctx, config, 4);
  set(least, "weight", identity(4));
  for (const auto& choices : least.route(b).decisions) EXPECT_EQ(choices.size(), 1u) << "the best always";
}

}  // namespace
}  // namespace moe::testing
