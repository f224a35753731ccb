#include "common/moe/routers/noisy_top_k.hpp"

#include <gtest/gtest.h>

#include "tests/moe/router_case.hpp"

namespace moe::testing {
namespace {

constexpr std::int64_t N = 300, E = 6, D = 5;

MoeConfig config_of(std::int64_t K) {
  MoeConfig c = moe_config({0, D, 4, E, K});
  c.router = "noisy_top_k";
  c.balance_coefficient = 0.125;
  return c;
}

std::vector<double> times(const std::vector<double>& x, const std::vector<double>& w) {
  std::vector<double> y(static_cast<std::size_t>(N * E));
  for (std::int64_t n = 0; n < N; ++n)
    for (std::int64_t e = 0; e < E; ++e)
      for (std::int64_t d = 0; d < D; ++d) y[n * E + e] += x[n * D + d] * w[e * D + d];
  return y;
}

double variation(const std::vector<double>& sum) {
  const double mean = std::accumulate(sum.begin(), sum.end(), 0.0) / static_cast<double>(sum.size());
  double squares = 0;
  for (const double s : sum) squares += (s - mean) * (s - mean);
  return squares / static_cast<double>(sum.size()) / (mean * mean);
}

// Equations 3 to 11 of the paper, word for word, with the noise of the same key.
void expect_the_paper(std::int64_t K) {
  Context ctx;
  RouterCase<double> router(ctx, config_of(K), D);
  router.training = true;
  const Batch b = random_batch(N, D, 3);
  const auto clean = times(b.x, values_of<double>(router.parameter["weight"]->value));
  const auto spread = times(b.x, values_of<double>(router.parameter["noise"]->value));
  const RngKey key{.seed = 7, .purpose = Purpose::router_noise, .layer = 0, .step = 3};
  Decisions expected(N);
  std::vector<double> importance(E), load(E);
  for (std::int64_t n = 0; n < N; ++n) {
    std::vector<double> H(E), deviation(E);
    for (std::int64_t e = 0; e < E; ++e) {
      deviation[e] = std::log1p(std::exp(spread[n * E + e]));
      H[e] = clean[n * E + e] + static_cast<double>(normal(key, n * E + e)) * deviation[e];
    }
    std::vector<double> sorted = H;
    std::sort(sorted.rbegin(), sorted.rend());
    double sum = 0;
    for (std::int64_t e = 0; e < E; ++e) sum += H[e] >= sorted[K - 1] ? std::exp(H[e]) : 0;
    for (std::int64_t e = 0; e < E; ++e) {
      std::vector<double> others = H;
      others.erase(others.begin() + e);
      std::sort(others.rbegin(), others.rend());
      const double z = (clean[n * E + e] - others[K - 1]) / deviation[e];
      load[e] += 0.5 * (1 + std::erf(z / std::sqrt(2.0)));
      if (H[e] < sorted[K - 1]) continue;
      expected[n].emplace_back(static_cast<std::int32_t>(e), std::exp(H[e]) / sum);
      importance[e] += std::exp(H[e]) / sum;
    }
  }
  const Outcome o = router.route(b);
  EXPECT_TRUE(same(o.decisions, expected, 1e-12));
  ASSERT_EQ(o.losses.items.size(), 2u);
  EXPECT_EQ(o.losses.items[0].name, "importance");
  EXPECT_NEAR(scalar_of(o.losses.items[0].loss.tensor), variation(importance), 1e-12);
  EXPECT_EQ(o.losses.items[1].name, "load");
  EXPECT_NEAR(scalar_of(o.losses.items[1].loss.tensor), variation(load), 1e-11);
  for (const LossSink::Item& item : o.losses.items) EXPECT_EQ(item.coefficient, 0.125);
}

TEST(NoisyTopK, ChoosesWeighsAndPenalisesAsThePaperSays) {
  for (const std::int64_t K : {1, 2, 4}) expect_the_paper(K);
}

TEST(NoisyTopK, WithoutTrainingThereIsNoNoise) {
  Context ctx;
  RouterCase<double> router(ctx, config_of(2), D);
  const Batch b = random_batch(N, D, 4);
  const auto quiet = router.route(b).decisions;
  MoeConfig plain = config_of(2);
  plain.router = "top_k";
  RouterCase<double> top_k(ctx, plain, D);
  top_k.parameter["weight"]->value = router.parameter["weight"]->value;
  EXPECT_TRUE(same(quiet, top_k.route(b).decisions));
  router.training = true;
  EXPECT_FALSE(same(quiet, router.route(b).decisions));
}

// Both matrices start at zero, so that every score ties. The noise decides, evenly; without it the lower experts win.
TEST(NoisyTopK, FromZeroTheNoiseSpreadsTheLoad) {
  Context ctx;
  RouterCase<double> router(ctx, config_of(2), D);
  initialise(ctx, 1, [&](const ParameterVisitor& v) { router.router->visit(v, ""); });
  for (const auto& [name, p] : router.parameter)
    for (const double w : values_of<double>(p->value)) EXPECT_EQ(w, 0) << name;
  const Batch b = random_batch(N, D, 5);
  const auto choice = [&] { return values_of<std::int32_t>(metric(router.route(b).metrics, "choice")); };
  EXPECT_EQ(choice(), (std::vector<std::int32_t>{300, 300, 0, 0, 0, 0}));
  router.training = true;
  for (const std::int32_t c : choice()) EXPECT_NEAR(c, 100, 5 * std::sqrt(100.0));
}

TEST(NoisyTopK, TheNoiseBelongsToTheTokenNotToTheBatch) {
  Context ctx;
  RouterCase<double> router(ctx, config_of(2), D);
  router.training = true;
  const Batch b = random_batch(40, D, 6);
  const Decisions all = router.route(b).decisions;
  std::vector<std::int64_t> rest(17);
  std::iota(rest.begin(), rest.end(), 23);
  const Batch later = b.rows(rest);
  TokenInfo info = router.tokens(later);
  info.first_token = 23;
  ForwardContext f{.ctx = ctx, .seed = 7, .step = 3, .training = true, .tokens = &info};
  EXPECT_TRUE(same(decisions_of<double>(router.router->route(f, router.input(later)), 17, E),
                   Decisions(all.begin() + 23, all.end())));
}

}  // namespace
}  // namespace moe::testing
