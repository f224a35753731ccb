#include "common/moe/load_metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/compare.hpp"

namespace moe::testing {
namespace {

TEST(LoadMetrics, ByHand) {
  const LoadMetrics m = load_metrics({6, 2, 0, 4}, 16);  // mean 3, deviations 3, -1, -3, 1
  EXPECT_EQ(m.load, (std::vector<std::int64_t>{6, 2, 0, 4}));
  EXPECT_EQ(m.assignments, 16);
  EXPECT_DOUBLE_EQ(m.cv, std::sqrt(5.0) / 3);
  EXPECT_DOUBLE_EQ(m.max_violation, 1);
  EXPECT_DOUBLE_EQ(m.dropped, 0.25);
  EXPECT_EQ(m.dead, 1);
}

TEST(LoadMetrics, ABalancedLoadHasNoDeviation) {
  const LoadMetrics m = load_metrics({5, 5, 5}, 15);
  EXPECT_EQ(m.cv, 0);
  EXPECT_EQ(m.max_violation, 0);
  EXPECT_EQ(m.dropped, 0);
  EXPECT_EQ(m.dead, 0);
}

TEST(LoadMetrics, DeadMeansLessThanTwoPercentOfTheMean) {
  EXPECT_EQ(load_metrics({100, 2, 198}, 300).dead, 0);  // 2 of a mean of 100
  EXPECT_EQ(load_metrics({100, 1, 199}, 300).dead, 1);
}

TEST(LoadMetrics, NothingAtAllIsNotANumberNowhere) {
  for (const LoadMetrics& m : {load_metrics({}, 0), load_metrics({0, 0, 0}, 0)}) {
    EXPECT_EQ(m.cv, 0);
    EXPECT_EQ(m.max_violation, 0);
    EXPECT_EQ(m.dropped, 0);
  }
  EXPECT_EQ(load_metrics({0, 0}, 7).dropped, 1);
}

TEST(MeanEntropy, IsLogEForUniformAndZeroForCertain) {
  Context ctx;
  for (const std::int64_t E : {1, 2, 33}) {
    const std::vector<double> uniform_rows(static_cast<std::size_t>(3 * E), 1.0 / static_cast<double>(E));
    EXPECT_NEAR(mean_entropy(tensor_of<double>(ctx, uniform_rows, {3, E})), std::log(static_cast<double>(E)),
                1e-14);
  }
  EXPECT_EQ(mean_entropy(tensor_of<float>(ctx, {0, 1, 0, 1, 0, 0}, {2, 3})), 0);
  EXPECT_NEAR(mean_entropy(tensor_of<double>(ctx, {0.5, 0.5, 1, 0}, {2, 2})), std::log(2.0) / 2, 1e-15);
  EXPECT_EQ(mean_entropy(Tensor::empty(ctx, DType::f32, {0, 4})), 0);
}

TEST(LoadMetricsByLayer, ARouterWithoutALayerIsNone) {
  Context ctx;
  MetricSink sink;
  sink.push("choice", 3, tensor_of<std::int32_t>(ctx, {4, 0}, {2}));
  sink.push("probability", 3, tensor_of<float>(ctx, {0.5f, 0.5f}, {1, 2}));
  EXPECT_TRUE(load_metrics_by_layer(sink).empty());
}

TEST(MeanEntropy, ShowsNaN) {
  Context ctx;
  EXPECT_TRUE(std::isnan(mean_entropy(tensor_of<float>(ctx, {0.5f, 0.5f, NAN, NAN}, {2, 2}))));
}

TEST(LoadMetrics, ReadsWhatLayersPushed) {
  Context ctx;
  const auto integers = [&](const std::vector<std::int32_t>& v) {
    return tensor_of<std::int32_t>(ctx, v, {static_cast<std::int64_t>(v.size())});
  };
  MetricSink sink;
  sink.push("choice", 0, integers({4, 2}));
  sink.push("probability", 0, tensor_of<float>(ctx, {0.5f, 0.5f}, {1, 2}));
  sink.push("load", 0, integers({0, 3, 5}));
  sink.push("load", 4, integers({0, 6, 6}));
  sink.push("choice", 4, integers({6, 0}));
  sink.push("probability", 4, tensor_of<float>(ctx, {1, 0}, {1, 2}));
  sink.push("weight", 5, tensor_of<float>(ctx, {1}, {1, 1}));  // a layer without a load has no entry

  const auto layers = load_metrics_by_layer(sink);
  ASSERT_EQ(layers.size(), 2u);
  EXPECT_EQ(layers.at(0).load, (std::vector<std::int64_t>{3, 2}));
  EXPECT_DOUBLE_EQ(layers.at(0).dropped, 1.0 / 6);
  EXPECT_DOUBLE_EQ(layers.at(0).cv, 0.2);
  EXPECT_NEAR(layers.at(0).entropy.value(), std::log(2.0), 1e-15);
  EXPECT_EQ(layers.at(4).load, (std::vector<std::int64_t>{6, 0}));
  EXPECT_EQ(layers.at(4).dead, 1);
  EXPECT_EQ(layers.at(4).entropy, 0);

  const LoadMetrics mean = summarise(layers);
  EXPECT_DOUBLE_EQ(mean.cv, (0.2 + 1) / 2);
  EXPECT_DOUBLE_EQ(mean.max_violation, (0.2 + 1) / 2);
  EXPECT_NEAR(mean.entropy.value(), std::log(2.0) / 2, 1e-15);
  EXPECT_DOUBLE_EQ(mean.dropped, 1.0 / 12);
  EXPECT_EQ(mean.dead, 1);
  EXPECT_EQ(mean.assignments, 12);
}

// Not 0: that would be a router that never doubts.
TEST(LoadMetrics, ARouterWithoutADistributionHasNoEntropy) {
  Context ctx;
  MetricSink sink;
  sink.push("load", 0, tensor_of<std::int32_t>(ctx, {0, 3, 5}, {3}));
  sink.push("choice", 0, tensor_of<std::int32_t>(ctx, {3, 2}, {2}));
  const auto layers = load_metrics_by_layer(sink);
  EXPECT_FALSE(layers.at(0).entropy.has_value());
  EXPECT_FALSE(summarise(layers).entropy.has_value());
}

TEST(LoadMetrics, AModelWithoutMoeLayersHasEmptyMetrics) {
  EXPECT_TRUE(load_metrics_by_layer({}).empty());
  const LoadMetrics none = summarise({});
  EXPECT_EQ(none.assignments, 0);
  EXPECT_EQ(none.cv, 0);
}

}  // namespace
}  // namespace moe::testing
