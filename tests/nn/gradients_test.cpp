// The whole language model by finite differences in f64: every parameter, through attention, routers and experts.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/nn/support.hpp"

namespace moe::testing {
namespace {

// The loss is near 10, so that rounding shows as 1e-10 in a difference quotient, against gradients from 1e-6 on.
constexpr double kTolerance = 1e-5;

// Cross-entropy plus the router losses with a hundred times their coefficients. Reports how close two probabilities came.
Value total_loss(ForwardContext& f, LanguageModel& model, const Batch& batch, double* smallest_gap) {
  LossSink losses;
  MetricSink metrics;
  f.tokens = &batch.tokens;
  f.losses = &losses;
  f.metrics = &metrics;
  Value total = ops::cross_entropy(f, model.forward(f), batch.target);
  for (const LossSink::Item& item : losses.items)  // large enough to be seen beside the cross-entropy
    total = ops::add(f, total, scaled(f, item.loss, 100 * item.coefficient));
  for (const MetricSink::Item& item : metrics.items) {
    if (item.name != "probability") continue;
    for (std::int64_t n = 0; n < item.tensor.rows(); ++n) {
      auto p = values_of<double>(item.tensor.slice_rows(n, n + 1));
      std::sort(p.begin(), p.end(), std::greater<>());
      for (std::size_t k = 1; k < p.size(); ++k) *smallest_gap = std::min(*smallest_gap, p[k - 1] - p[k]);
    }
  }
  f.losses = nullptr;
  f.metrics = nullptr;
  return total;
}

void check_model(const LanguageModelConfig& config) {
  TestModel test(config);
  Batch batch = batch_of(test.ctx, 2, 5, config.vocabulary);
  batch.target.data<std::int32_t>()[3] = -1;
  double gap = 1;
  const GradientCheck check = check_parameters(
      test.ctx, {}, test.parameters(),
      [&](ForwardContext& f, const auto&) { return total_loss(f, test.model, batch, &gap); }, 25);
  EXPECT_GT(gap, 1e-5) << "scores too close for finite differences: choose another seed";
  EXPECT_LT(check.worst, kTolerance) << check.where;
}

TEST(LanguageModelGradient, MatchesFiniteDifferencesWhenDense) {
  check_model(tiny_config(0));
}

TEST(LanguageModelGradient, MatchesFiniteDifferencesWithExpertsAndRouterLosses) {
  LanguageModelConfig config = tiny_config();
  for (const bool renormalise : {true, false}) {
    config.moe.renormalise = renormalise;
    check_model(config);
  }
}

TEST(LanguageModelGradient, MatchesFiniteDifferencesWithATiedHead) {
  for (const std::int64_t experts : {0, 4}) {
    LanguageModelConfig config = tiny_config(experts);
    config.tied_head = true;
    check_model(config);
  }
}

TEST(LanguageModelGradient, MatchesFiniteDifferencesWithNormalisedQueriesAndKeys) {
  LanguageModelConfig config = tiny_config();
  config.qk_norm = true;
  config.norm_epsilon = 0.1;
  check_model(config);
}

TEST(LanguageModelGradient, MatchesFiniteDifferencesWithDroppedTokens) {
  LanguageModelConfig config = tiny_config();
  config.moe.router = "switch";
  config.moe.capacity_factor = 0.5;
  check_model(config);
}

// Embeddings are an entrance for other modalities: gradients must come out of it.
TEST(LanguageModelGradient, ReachesTheEmbeddingsGivenInsteadOfIds) {
  TestModel test(tiny_config());
  Batch batch = batch_of(test.ctx, 2, 5, 11);
  batch.tokens.id = {};
  const auto function = [&](Tape& tape, const std::vector<Value>& in) {
    ForwardContext f{.ctx = test.ctx, .tape = &tape, .tokens = &batch.tokens};
    return ops::cross_entropy(f, test.model.forward_embedded(f, in[0]), batch.target);
  };
  const GradientCheck check = check_gradients(test.ctx, {normal_tensor(test.ctx, {10, 6}, 1)}, function);
  EXPECT_LT(check.worst, kTolerance) << check.where;
}

}  // namespace
}  // namespace moe::testing
