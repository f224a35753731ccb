// Sinkhorn routing: what the suite does not know of it.
#include "common/moe/routers/sinkhorn.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "common/moe/load_metrics.hpp"
#include "kernels/sinkhorn/sinkhorn.hpp"
#include "tests/moe/router_case.hpp"

namespace moe::testing {
namespace {

MoeConfig sinkhorn_config(std::int64_t K) {
  MoeConfig c = moe_config({0, 6, 4, 8, K});
  c.router = "sinkhorn";
  return c;
}

LoadMetrics load_of_choices(const Outcome& o) {
  const auto choice = values_of<std::int32_t>(metric(o.metrics, "choice"));
  return load_metrics({choice.begin(), choice.end()}, 0);
}

// Tokens with something in common: without balancing most go one way.
Batch alike(std::int64_t N) {
  Batch b = random_batch(N, 6, 2);
  for (std::size_t i = 0; i < b.x.size(); ++i) b.x[i] += i % 6 == 0 ? 2 : 0;
  return b;
}

TEST(Sinkhorn, TrainingBalancesAndInferenceDoesNot) {
  Context ctx(2);
  for (const std::int64_t K : {1, 2}) {
    RouterCase<double> router(ctx, sinkhorn_config(K), 6);
    const LoadMetrics greedy = load_of_choices(router.route(alike(1024)));
    router.training = true;
    const LoadMetrics balanced = load_of_choices(router.route(alike(1024)));
    EXPECT_GT(greedy.max_violation, 1);
    EXPECT_LT(balanced.max_violation, greedy.max_violation / 2);  // shares are equal, choices only nearly
    EXPECT_EQ(balanced.dead, 0);
  }
}

// 20 iterations even out what one does not.
TEST(Sinkhorn, TrainingTakesTheBestOfScoresBalancedTwentyTimes) {
  Context ctx(2);
  RouterCase<double> router(ctx, sinkhorn_config(1), 6);
  router.training = true;
  const Batch b = alike(512);
  const Decisions got = router.route(b).decisions;
  const auto w = values_of<double>(router.parameter.at("weight")->value);
  std::vector<double> score(512 * 8), balanced(score.size());
  for (std::size_t i = 0; i < score.size(); ++i)
    score[i] = std::inner_product(b.x.begin() + i / 8 * 6, b.x.begin() + (i / 8 + 1) * 6,
                                  w.begin() + i % 8 * 6, 0.0);
  sinkhorn<double>(ctx, balanced.data(), score.data(), 512, 8, 20);
  for (std::size_t n = 0; n < 512; ++n) {
    const auto row = balanced.begin() + static_cast<std::ptrdiff_t>(n * 8);
    EXPECT_EQ(got[n].at(0).first, std::max_element(row, row + 8) - row) << n;
  }
}

TEST(Sinkhorn, WeighsByTheRawScores) {
  Context ctx(2);
  for (const std::int64_t K : {1, 2}) {
    RouterCase<double> router(ctx, sinkhorn_config(K), 6);
    router.training = true;
    const Outcome o = router.route(alike(129));
    const auto p = values_of<double>(metric(o.metrics, "probability"));
    for (std::size_t n = 0; n < 129; ++n) {
      double sum = 0;
      for (const auto& [e, w] : o.decisions[n]) sum += p[n * 8 + static_cast<std::size_t>(e)];
      for (const auto& [e, w] : o.decisions[n])
        EXPECT_NEAR(w, p[n * 8 + static_cast<std::size_t>(e)] / (K == 1 ? 1 : sum), 1e-12);
    }
  }
}

TEST(Sinkhorn, WithOneExpertATokenTheRouterGetsAGradient) {
  Context ctx(2);
  RouterCase<double> router(ctx, sinkhorn_config(1), 6);
  EXPECT_FALSE(router.config.renormalise);
  router.train(random_batch(33, 6, 4));
  double squares = 0;
  for (const double g : values_of<double>(router.parameter.at("weight")->grad)) squares += g * g;
  EXPECT_GT(squares, 1e-6);
}

}  // namespace
}  // namespace moe::testing
