#include "common/convert/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "common/tensor/host_values.hpp"
#include "tests/convert/support.hpp"

namespace moe::testing {
namespace {

ExpertStatistics of(const std::vector<double>& count, const std::vector<double>& norm,
                    const std::vector<double>& product = {}) {
  ExpertStatistics s;
  s.count = count;
  s.weighted_norm = norm;
  s.logit_product = product;
  return s;
}

TEST(ReapScores, AreMeansOverTheTokensThatAnExpertWasGiven) {
  EXPECT_EQ(reap_scores(of({4, 0, 2}, {2, 0, 5})), (std::vector<double>{0.5, 0, 2.5}));
}

TEST(BestScores, KeepTheLowerOfEquals) {
  const std::vector<double> score = {1, 3, 2, 3, 2};
  EXPECT_EQ(best_scores(score, 1), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(best_scores(score, 3), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(best_scores(score, 5), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_THROW(best_scores(score, 0), UserError);
  EXPECT_THROW(best_scores(score, 6), UserError);
}

// Logits of two tokens: (1, 0), (2, 0), (0, 1), (1, 1) for the four experts.
TEST(GroupByLogits, OthersJoinTheMostSimilarOfTheMostUsed) {
  const std::vector<double> logit = {1, 0, 2, 0, 0, 1, 1, 1};
  std::vector<double> product(16);
  for (std::size_t i = 0; i < 16; ++i)
    product[i] = logit[i / 4 * 2] * logit[i % 4 * 2] + logit[i / 4 * 2 + 1] * logit[i % 4 * 2 + 1];
  const auto s = of({3, 9, 8, 1}, {0, 0, 0, 0}, product);
  EXPECT_NEAR(logit_similarity(s)[1], 1, 1e-12);
  EXPECT_NEAR(logit_similarity(s)[3], std::sqrt(0.5), 1e-12);
  // 1 and 2 are references; 0 points where 1 does; 3 is as near to both: to the one used more.
  EXPECT_EQ(group_by_logits(s, 2), (ExpertGroups{{1, 0, 3}, {2}}));
  EXPECT_EQ(group_by_logits(s, 4), (ExpertGroups{{1}, {2}, {0}, {3}}));
  EXPECT_THROW(group_by_logits(s, 5), UserError);
  EXPECT_THROW(group_by_logits(of({1, 1}, {0, 0}), 1), UserError);  // no logits
}

TEST(LogitSimilarity, AnExpertThatNeverScoresIsLikeNobody) {
  EXPECT_EQ(logit_similarity(of({1, 1}, {0, 0}, {4, 0, 0, 0})), (std::vector<double>{1, 0, 0, 0}));
}

// In groups of three, who is near is asked of the reference, not of the last to join: expert 2 (45 degrees, used third) joins
// expert 0 (0 degrees), and expert 3 (100 degrees) is nearer to 2 than to the other reference (170), but nearer to that than to 0.
TEST(GroupByLogits, MembersAreComparedWithTheReference) {
  const double degrees[] = {0, 170, 45, 100};
  std::vector<double> product;
  for (const double a : degrees)
    for (const double b : degrees) product.push_back(std::cos((a - b) * std::acos(-1.0) / 180));
  EXPECT_EQ(group_by_logits(of({9, 8, 2, 1}, {0, 0, 0, 0}, product), 2), (ExpertGroups{{0, 2}, {1, 3}}));
}

// The layer by itself: expert by expert, from the input that the metrics show.
TEST(Observe, AddsWhatTheLayersDid) {
  LanguageModelConfig config = tiny_config(4);
  config.layers = 1;
  TestModel test(config);
  const Batch b = batch_of(test.ctx, 3, 8, 11, 5);
  std::vector<ExpertStatistics> once, twice;
  observe(test.ctx, test.model, b.tokens, once);
  for (int i = 0; i < 2; ++i) observe(test.ctx, test.model, b.tokens, twice);
  ASSERT_EQ(once.size(), 1u);
  EXPECT_EQ(once[0].tokens, 24);
  EXPECT_EQ(twice[0].tokens, 48);
  EXPECT_EQ(std::accumulate(once[0].count.begin(), once[0].count.end(), 0.0), 48);

  MetricSink sink;
  sink.detailed = true;
  ForwardContext f{.ctx = test.ctx, .tokens = &b.tokens, .metrics = &sink};
  test.model.forward(f);
  std::map<std::string, Tensor> m;
  for (const auto& item : sink.items) m[item.name] = item.tensor;
  std::map<std::string, Tensor> p;
  test.model.moe_layer(0)->visit([&](const std::string& name, Parameter& q) { p[name] = q.value; });
  const auto x = host_values(m.at("input")), w = host_values(p.at("gate.weight")),
             up = host_values(p.at("experts.gate_up.weight")),
             down = host_values(p.at("experts.down.weight")), gate = host_values(m.at("weight"));
  const auto expert = values_of<std::int32_t>(m.at("expert"));
  const auto dot = [](const double* a, const double* c, int n) {
    return std::inner_product(a, a + n, c, 0.0);
  };
  std::vector<double> norm(4), count(4), product(16);
  for (int n = 0; n < 24; ++n) {
    const double* row = x.data() + n * 6;
    for (int i = 0; i < 16; ++i) product[i] += dot(row, &w[i / 4 * 6], 6) * dot(row, &w[i % 4 * 6], 6);
    for (int k = 0; k < 2; ++k) {
      const int e = expert[n * 2 + k];
      double squares = 0;
      for (int d = 0; d < 6; ++d) {
        double y = 0;
        for (int j = 0; j < 5; ++j) {
          const double h = dot(row, &up[(e * 10 + j) * 6], 6), u = dot(row, &up[(e * 10 + 5 + j) * 6], 6);
          y += down[(e * 6 + d) * 5 + j] * h / (1 + std::exp(-h)) * u;
        }
        squares += y * y;
      }
      ++count[e];
      norm[e] += gate[n * 2 + k] * std::sqrt(squares);
    }
  }
  EXPECT_EQ(once[0].count, count);
  EXPECT_TRUE(close(once[0].weighted_norm, norm, {1e-12, 1e-10}));
  EXPECT_TRUE(close(once[0].logit_product, product, {1e-12, 1e-10}));
  for (double& v : product) v *= 2;
  EXPECT_TRUE(close(twice[0].logit_product, product, {1e-12, 1e-10}));
}

// The second layer's logits are those of its own router: without one they are zero.
TEST(Observe, EachLayerHasItsOwnLogits) {
  TestModel test(tiny_config(4));
  test.model.moe_layer(1)->visit([&](const std::string& name, Parameter& p) {
    if (name == "gate.weight") write_values(p.value, std::vector<double>(24));
  });
  std::vector<ExpertStatistics> s;
  observe(test.ctx, test.model, batch_of(test.ctx, 2, 8, 11).tokens, s);
  EXPECT_GT(s.at(0).logit_product.at(0), 0);
  EXPECT_EQ(s.at(1).logit_product, std::vector<double>(16));
}

// By id, by direction in fewer dimensions, with rows of experts that do nothing.
TEST(Observe, ARouterWithoutAMatrixOfOneRowAnExpertHasNoLogits) {
  for (const char* router : {"hash", "cosine", "null_experts"}) {
    LanguageModelConfig config = tiny_config(4);
    config.moe.router = router;
    TestModel test(config);
    std::vector<ExpertStatistics> s;
    observe(test.ctx, test.model, batch_of(test.ctx, 2, 8, 11).tokens, s);
    EXPECT_EQ(s.size(), 2u);
    EXPECT_TRUE(s[0].logit_product.empty()) << router;
    EXPECT_EQ(s[0].count.size(), 4u);
  }
}

}  // namespace
}  // namespace moe::testing
