// The layer against nested loops in double, forward and backward, and by finite differences.
#include "common/moe/moe_layer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/moe/oracle.hpp"
#include "tests/moe/support.hpp"

namespace moe::testing {
namespace {

template <class T>
std::vector<double> doubles(const std::vector<T>& x) {
  return {x.begin(), x.end()};
}
template <class T>
std::vector<double> doubles(const Tensor& x) {
  return doubles(values_of<T>(x));
}

struct Case {
  Sizes s;
  bool renormalise = true;
  const char* router = "top_k";
  double capacity_factor = 0;
  std::int64_t capacity = -1;  // what the factor comes to
};

// Everything the layer computes, against the oracle.
template <class T>
void compare(const Case& c, Tolerance tolerance) {
  SCOPED_TRACE(concat("N ", c.s.N, " D ", c.s.D, " F ", c.s.F, " E ", c.s.E, " K ", c.s.K, " ", c.router,
                      c.renormalise ? " renormalised" : ""));
  MoeConfig config = moe_config(c.s);
  config.renormalise = c.renormalise;
  config.router = c.router;
  config.capacity_factor = c.capacity_factor;
  config.balance_coefficient = 0.3;
  config.z_coefficient = 0.2;
  TestLayer<T> test(config, c.s.D, c.s.F);
  const auto x = random_normal<T>(c.s.N * c.s.D, 11), dy = random_normal<T>(c.s.N * c.s.D, 12);
  const auto pass = test.train(x, dy);
  EXPECT_EQ(test.forward(x), pass.y) << "inference computes something else";

  OracleLayer layer{c.s.N, c.s.D, c.s.F, c.s.E, c.s.K, c.renormalise, c.capacity, {}, {}, {}, 0.3, 0.2};
  layer.router = doubles<T>(test.all()[0]->value);
  layer.gate_up = doubles<T>(test.all()[1]->value);
  layer.down = doubles<T>(test.all()[2]->value);
  const OracleResult expected = Oracle::run(layer, doubles(x), doubles(dy));

  std::vector<std::int32_t> kept = expected.expert;  // -1 where an earlier token took the last place
  for (std::vector<std::int64_t> taken(static_cast<std::size_t>(c.s.E)); std::int32_t & e : kept)
    if (c.capacity >= 0 && ++taken[static_cast<std::size_t>(e)] > c.capacity) e = -1;
  EXPECT_EQ(values_of<std::int32_t>(metric(pass.metrics, "expert")), kept);
  EXPECT_EQ(values_of<std::int32_t>(metric(pass.metrics, "choice")), expected.choice);
  EXPECT_EQ(load_of(pass.metrics), expected.load);
  EXPECT_TRUE(close(doubles<T>(metric(pass.metrics, "probability")), expected.probability, tolerance));
  EXPECT_TRUE(close(doubles<T>(metric(pass.metrics, "weight")), expected.weight, tolerance));
  EXPECT_TRUE(close(doubles(pass.y), expected.y, tolerance));
  EXPECT_TRUE(close(doubles(pass.dx), expected.dx, tolerance));
  EXPECT_TRUE(close(doubles(pass.drouter), expected.drouter, tolerance));
  EXPECT_TRUE(close(doubles(pass.dgate_up), expected.dgate_up, tolerance));
  EXPECT_TRUE(close(doubles(pass.ddown), expected.ddown, tolerance));
  ASSERT_EQ(pass.losses.items.size(), 2u);
  EXPECT_NEAR(scalar_of(pass.losses.items[0].loss.tensor), expected.balance_loss, 1e-5);
  EXPECT_NEAR(scalar_of(pass.losses.items[1].loss.tensor), expected.z_loss, 1e-5);
}

constexpr Case kCases[] = {
    {{1, 1, 1, 1, 1}},         {{1, 8, 7, 5, 2}},         {{2, 5, 3, 2, 2}},          {{31, 9, 1, 4, 2}},
    {{33, 33, 32, 8, 3}},      {{129, 4, 6, 5, 1}},       {{32, 16, 8, 4, 4}},        {{127, 2, 2, 33, 2}},
    {{33, 8, 7, 5, 2}, false}, {{33, 8, 7, 5, 5}, false}, {{129, 8, 7, 3, 1}, false},
};

TEST(MoeLayer, EqualsNestedLoopsInDouble) {
  for (const Case& c : kCases)
    compare<double>(c, {1e-11, 1e-10});  // sums of up to 129 products of numbers near 1
}

TEST(MoeLayer, EqualsNestedLoopsInFloat) {
  for (const Case& c : kCases) compare<float>(c, {2e-4, 1e-4});
}

TEST(MoeLayer, DropsWhatOverflowsACapacityAsNestedLoopsDo) {
  compare<double>({{33, 8, 7, 5, 1}, false, "switch", 1.0, 7}, {1e-11, 1e-10});  // ceil(33/5)
  compare<double>({{33, 8, 7, 5, 1}, false, "switch", 0, 9}, {1e-11, 1e-10});    // 1.25 by default
  compare<double>({{33, 8, 7, 5, 2}, true, "top_k", 0.5, 7}, {1e-11, 1e-10});    // ceil(66/5/2)
  compare<double>({{33, 8, 7, 5, 2}, false, "top_k", 1e300}, {1e-11, 1e-10});    // as if there were none
  compare<float>({{129, 8, 7, 4, 1}, false, "switch", 0.75, 25}, {2e-4, 1e-4});
}

// Top-k is piecewise: no score that decides may stand within reach of the finite step.
double smallest_gap(const Tensor& probability, std::int64_t K) {
  double gap = 1;
  for (std::int64_t n = 0; n < probability.rows(); ++n) {
    auto p = values_of<double>(probability.slice_rows(n, n + 1));
    std::sort(p.begin(), p.end(), std::greater<>());
    for (std::size_t k = 1; k <= static_cast<std::size_t>(K) && k < p.size(); ++k)
      gap = std::min(gap, p[k - 1] - p[k]);
  }
  return gap;
}

void check_by_differences(const Sizes& s, bool renormalise, const char* router, double capacity_factor) {
  MoeConfig config = moe_config(s);
  config.renormalise = renormalise;
  config.router = router;
  config.capacity_factor = capacity_factor;
  TestLayer<double> test(config, s.D, s.F);
  const Tensor x = normal_tensor(test.ctx, {s.N, s.D}, 5);
  MetricSink metrics;
  test.forward(values_of<double>(x), &metrics);
  ASSERT_GT(smallest_gap(metric(metrics, "probability"), s.K), 1e-3) << "choose another seed";
  const auto function = [&](ForwardContext& f, const std::vector<Value>& in) {
    LossSink losses;
    f.losses = &losses;
    Value total = project(f, test.layer.forward(f, in[0]));
    for (const LossSink::Item& item : losses.items) total = ops::add(f, total, item.loss);
    f.losses = nullptr;
    return total;
  };
  const GradientCheck check = check_all(test.ctx, {x}, test.all(), function);
  EXPECT_LT(check.worst, 1e-6) << router << " K " << s.K << ": " << check.where;
}

TEST(MoeLayer, GradientsMatchFiniteDifferencesWithBothRouterLosses) {
  check_by_differences({7, 6, 5, 4, 2}, true, "top_k", 0);
  check_by_differences({7, 6, 5, 4, 2}, false, "top_k", 0);
  check_by_differences({5, 6, 5, 3, 3}, true, "top_k", 0);
  check_by_differences({9, 6, 5, 4, 1}, false, "switch", 0.5);
  check_by_differences({9, 6, 5, 4, 2}, true, "top_k", 0.5);
  check_by_differences({1, 6, 5, 1, 1}, false, "top_k", 0);
}

TEST(MoeLayer, GivesTheSameBytesForAnyThreadCount) {
  const Sizes s{257, 33, 31, 7, 3};
  const auto x = random_normal<float>(s.N * s.D, 1), dy = random_normal<float>(s.N * s.D, 2);
  const auto run = [&](int threads) {
    return TestLayer<float>(moe_config(s), s.D, s.F, 1, threads).train(x, dy);
  };
  const auto one = run(1);
  for (const int threads : {2, 3}) {
    const auto many = run(threads);
    EXPECT_EQ(many.y, one.y);
    EXPECT_EQ(many.dx, one.dx);
    EXPECT_EQ(many.drouter, one.drouter);
    EXPECT_EQ(many.dgate_up, one.dgate_up);
    EXPECT_EQ(many.ddown, one.ddown);
  }
}

TEST(MoeLayer, PermutedTokensGivePermutedOutputs) {
  const Sizes s{65, 8, 7, 5, 2};
  TestLayer<double> test(moe_config(s), s.D, s.F);
  const auto x = random_normal<double>(s.N * s.D, 1), dy = random_normal<double>(s.N * s.D, 2);
  const auto permuted = [&](const std::vector<double>& v) {
    std::vector<double> out;
    for (std::int64_t n = 0; n < s.N; ++n)
      for (const double e : row(v, n * 27 % s.N, s.D)) out.push_back(e);
    return out;
  };
  const auto plain = test.train(x, dy), moved = test.train(permuted(x), permuted(dy));
  const Tolerance rounding{
      1e-13, 1e-12};  // rows stand elsewhere in their tiles, weight gradients add in another order
  EXPECT_TRUE(close(moved.y, permuted(plain.y), rounding));
  EXPECT_TRUE(close(moved.dx, permuted(plain.dx), rounding));
  EXPECT_TRUE(close(moved.ddown, plain.ddown, rounding));
  EXPECT_TRUE(close(moved.drouter, plain.drouter, rounding));
}

// Large tensors only where they are asked for.
TEST(MoeLayer, DetailedMetricsAreTheLayersOwnRows) {
  const Sizes s{9, 6, 5, 4, 2};
  TestLayer<double> test(moe_config(s), s.D, s.F);
  const auto x = random_normal<double>(s.N * s.D, 3);
  MetricSink plain, detailed;
  detailed.detailed = true;
  test.forward(x, &plain);
  for (const char* name : {"input", "output", "list_row", "list_weight", "row_output"})
    EXPECT_THROW(metric(plain, name), std::runtime_error) << name;
  const auto y = test.forward(x, &detailed);
  EXPECT_EQ(values_of<double>(metric(detailed, "input")), x);
  EXPECT_EQ(values_of<double>(metric(detailed, "output")), y);
  EXPECT_EQ(values_of<double>(metric(detailed, "list_weight")),
            values_of<double>(metric(detailed, "weight")));
  std::vector<std::int32_t> every(static_cast<std::size_t>(s.N * s.K));
  std::iota(every.begin(), every.end(), 0);
  auto row = values_of<std::int32_t>(metric(detailed, "list_row"));
  std::sort(row.begin(), row.end());
  EXPECT_EQ(row, every) << "each row once";
  EXPECT_EQ(metric(detailed, "row_output").shape(), (Shape{s.N * s.K, s.D}));
}

TEST(SharedExperts, BoundsThatDoNotRiseFromZeroAreRefused) {
  Context ctx;
  using Bounds = std::vector<std::int32_t>;
  for (const Bounds& first : {Bounds{}, Bounds{0, 2}, Bounds{1, 2, 4}, Bounds{0, 3, 2}, Bounds{0, 1, 2, 3}})
    EXPECT_THROW(SharedExperts(ctx, std::make_unique<LocalExperts>(ctx, DType::f32, 2, 3, 4), first), Error);
}

TEST(MoeLayer, NamesItsParametersInAFixedOrderWithTheirGroups) {
  Context ctx;
  MoeLayer layer(ctx, DType::f32, moe_config({0, 6, 5, 4, 2}), 6, 5, 0.5);
  std::vector<std::string> seen;
  layer.visit(
      [&](const std::string& name, Parameter& p) {
        seen.push_back(concat(name, " ", to_string(p.value.shape()),
                              p.group == ParameterGroup::expert ? " expert" : "", p.decay ? " decay" : ""));
        if (name == "x.experts.down.weight") {
          EXPECT_DOUBLE_EQ(p.deviation, 0.5 / std::sqrt(5.0));
        }
        if (name == "x.experts.gate_up.weight") {
          EXPECT_DOUBLE_EQ(p.deviation, 1 / std::sqrt(6.0));
        }
      },
      "x.");
  EXPECT_EQ(seen, (std::vector<std::string>{"x.gate.weight (4, 6) decay",
                                            "x.experts.gate_up.weight (4, 10, 6) expert decay",
                                            "x.experts.down.weight (4, 6, 5) expert decay"}));
}

}  // namespace
}  // namespace moe::testing
