// BASE layers: what the suite does not know of them.
#include "common/moe/routers/base.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "common/moe/assignment.hpp"
#include "tests/moe/router_case.hpp"

namespace moe::testing {
namespace {

MoeConfig base_config(std::int64_t E) {
  MoeConfig c = moe_config({0, 6, 4, E, 2});
  c.router = "base";
  return c;
}

std::vector<double> scores_of(RouterCase<double>& router, const Batch& b) {
  const auto w = values_of<double>(router.parameter.at("weight")->value);
  std::vector<double> score;
  for (std::int64_t n = 0; n < b.N(); ++n)
    for (std::size_t e = 0; e < w.size() / 6; ++e)
      score.push_back(
          std::inner_product(b.x.begin() + n * 6, b.x.begin() + (n + 1) * 6, w.begin() + e * 6, 0.0));
  return score;
}

std::vector<std::int64_t> loads(const Decisions& d, std::int64_t E) {
  std::vector<std::int64_t> load(static_cast<std::size_t>(E));
  for (const auto& choices : d)
    for (const auto& choice : choices) ++load[choice.first];
  return load;
}

TEST(Base, TrainingSharesTokensOutEvenly) {
  Context ctx(2);
  for (const std::int64_t E : {1, 2, 7, 8})
    for (const std::int64_t N : {1, 2, 31, 32, 33, 127, 129}) {
      SCOPED_TRACE(concat(N, " tokens, ", E, " experts"));
      RouterCase<double> router(ctx, base_config(E), 6);
      router.training = true;
      const auto load = loads(router.route(random_batch(N, 6, 2)).decisions, E);
      EXPECT_EQ(std::accumulate(load.begin(), load.end(), std::int64_t{0}), N);
      EXPECT_EQ(*std::min_element(load.begin(), load.end()), N / E);
      EXPECT_EQ(*std::max_element(load.begin(), load.end()), (N + E - 1) / E);
    }
}

TEST(Base, TheTotalScoreIsThatOfTheBalancedAssignment) {
  Context ctx(2);
  RouterCase<double> router(ctx, base_config(8), 6);
  router.training = true;
  const Batch b = random_batch(64, 6, 3);
  const auto score = scores_of(router, b);
  const auto best = balanced_assignment(score, 64, even_capacity(score, 64, 8), 1e-9);
  double optimum = 0, got = 0, greedy = 0;
  const Decisions d = router.route(b).decisions;
  for (std::size_t n = 0; n < 64; ++n) {
    optimum += score[n * 8 + static_cast<std::size_t>(best[n])];
    got += score[n * 8 + static_cast<std::size_t>(d[n][0].first)];
    greedy += *std::max_element(score.begin() + n * 8, score.begin() + (n + 1) * 8);
  }
  const auto [low, high] = std::minmax_element(score.begin(), score.end());
  EXPECT_GE(got, optimum - 64 * 1e-4 * (*high - *low));
  EXPECT_LE(got, optimum + 64e-9);
  EXPECT_LT(got, greedy);  // balance has its price
}

// A score of infinity is like the lowest: the range of the others still says how exact the auction must be.
TEST(Base, AnInfiniteScoreDoesNotSpoilTheOthers) {
  Context ctx(2);
  RouterCase<double> router(ctx, base_config(2), 2);
  router.training = true;
  router.parameter.at("weight")->value = tensor_of<double>(ctx, {1, 0, 0, 1}, {2, 2});
  for (const double far : {HUGE_VAL, -HUGE_VAL}) {
    // The scores of experts 0 and 1; 0·∞ is NaN, so the last token has no score at all.
    const Decisions d =
        router.route({2, {1, 0, 1, 0, 1, 0, 9, 0, 8, 0, far, 0}, {0, 0, 0, 0, 0, 0}}).decisions;
    EXPECT_EQ(loads(d, 2), (std::vector<std::int64_t>{3, 3}));
    EXPECT_EQ(d[3][0].first, 0);
    EXPECT_EQ(d[4][0].first, 0);
  }
}

TEST(Base, InferenceTakesTheBestAndWeighsItBySigmoid) {
  Context ctx(2);
  RouterCase<double> router(ctx, base_config(8), 6);
  const Batch b = random_batch(33, 6, 4);
  const auto score = scores_of(router, b);
  for (const bool training : {false, true}) {
    router.training = training;
    const Decisions d = router.route(b).decisions;
    for (std::size_t n = 0; n < 33; ++n) {
      ASSERT_EQ(d[n].size(), 1u);
      const double* s = score.data() + n * 8;
      if (!training) {
        EXPECT_EQ(d[n][0].first, std::max_element(s, s + 8) - s);
      }
      EXPECT_NEAR(d[n][0].second, 1 / (1 + std::exp(-s[d[n][0].first])), 1e-12);
    }
  }
}

}  // namespace
}  // namespace moe::testing
