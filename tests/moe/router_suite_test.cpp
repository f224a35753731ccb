// What every router owes, for every row of the table: a new row is tested without a line here.
#include <gtest/gtest.h>

#include <set>

#include "tests/moe/router_case.hpp"
#include "tests/support/devices.hpp"

namespace moe::testing {
namespace {

constexpr std::int64_t E = 8, D = 6;

class RouterSuite : public ::testing::TestWithParam<const RouterRow*> {
 protected:
  const RouterRow& row() const { return *GetParam(); }
  MoeConfig config(std::int64_t experts = E, std::int64_t top_k = 2) const {
    MoeConfig c = moe_config({0, D, 4, experts, top_k});
    c.router = row().name;
    return c;
  }
  // Routers that look at x at all, so that equal inputs tie and NaN shows: by id go those without a matrix of width D.
  bool scores() const {
    for (const RouterParameter& p : router_parameters(config(), D))
      if (p.shape.back() == D) return true;
    return false;
  }
  void check_batch_invariance(bool training);
  void check_causality(bool training);
  Context ctx{2};
};

std::vector<std::pair<std::int32_t, double>> kept_of(const Decisions& d, std::int64_t begin,
                                                     std::int64_t end) {
  std::vector<std::pair<std::int32_t, double>> all;
  for (std::int64_t n = begin; n < end; ++n) all.insert(all.end(), d[n].begin(), d[n].end());
  return all;
}

void expect_sound(const Outcome& o, const MoeConfig& c, std::int64_t N) {
  std::size_t kept = 0;
  const bool bounded = c.router != "remoe";  // whose gates are no shares
  for (const auto& choices : o.decisions) {
    double sum = 0;
    std::set<std::int32_t> distinct;
    for (const auto& [expert, weight] : choices) {
      EXPECT_LT(expert, c.experts);
      EXPECT_TRUE(weight >= 0 && (weight <= 1 || !bounded)) << weight;
      EXPECT_TRUE(distinct.insert(expert).second) << "expert " << expert << " twice";
      sum += weight;
    }
    EXPECT_TRUE(sum <= 1 + 1e-12 || !bounded) << sum;
    if (o.routing.per_token) {
      EXPECT_LE(static_cast<std::int64_t>(choices.size()), o.routing.per_token);
      if (c.renormalise && bounded && static_cast<std::int64_t>(choices.size()) == c.top_k) {
        EXPECT_NEAR(sum, 1, 1e-12);
      }
    }
    kept += choices.size();
  }
  const auto choice = values_of<std::int32_t>(metric(o.metrics, "choice"));
  EXPECT_EQ(static_cast<std::int64_t>(choice.size()), c.experts);
  const auto chosen = std::accumulate(choice.begin(), choice.end(), std::size_t{0});
  if (!o.routing.dense) {
    EXPECT_GE(chosen, kept);
  }
  EXPECT_EQ(metric(o.metrics, "expert").rows(), N);
  EXPECT_EQ(metric(o.metrics, "weight").shape(), metric(o.metrics, "expert").shape());
}

TEST_P(RouterSuite, AssignmentsKeepTheContract) {
  for (const std::int64_t N : {0, 1, 2, 31, 32, 33, 129})
    for (const bool training : {false, true}) {
      SCOPED_TRACE(concat(N, " tokens", training ? ", training" : ""));
      RouterCase<double> router(ctx, config(), D);
      router.training = training;
      const Outcome o = router.route(random_batch(N, D, 2));
      expect_sound(o, router.config, N);
      if (row().batch_invariant && row().causal && N > 0) {
        EXPECT_FALSE(kept_of(o.decisions, 0, N).empty());
      }
    }
}

TEST_P(RouterSuite, VisitsTheParametersThatCheckpointsExpect) {
  RouterCase<double> router(ctx, config(), D);
  std::vector<std::pair<std::string, Shape>> visited, expected;
  router.router->visit(
      [&](const std::string& name, Parameter& p) { visited.emplace_back(name, p.value.shape()); }, "");
  for (const RouterParameter& p : router_parameters(router.config, D)) expected.emplace_back(p.name, p.shape);
  EXPECT_EQ(visited, expected);
}

TEST_P(RouterSuite, PermutedTokensGetPermutedDecisions) {
  if (!row().batch_invariant) return;  // the next test shows why
  RouterCase<double> router(ctx, config(), D);
  const Batch b = random_batch(33, D, 3);
  std::vector<std::int64_t> order(33);
  for (std::int64_t n = 0; n < 33; ++n) order[n] = n * 7 % 33;
  const Decisions straight = router.route(b).decisions, permuted = router.route(b.rows(order)).decisions;
  Decisions expected;
  for (const std::int64_t n : order) expected.push_back(straight[n]);
  EXPECT_TRUE(same(permuted, expected));
}

// A token alone, or with fewer others, goes where it went; and a router that does not claim so is caught.
void RouterSuite::check_batch_invariance(bool training) {
  const bool claimed = row().batch_invariant && !(training && row().compares_in_training);
  bool differs = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RouterCase<double> router(ctx, config(), D, seed);
    router.training = training;
    const Batch b = random_batch(33, D, 100 + seed);
    Decisions all = router.route(b).decisions;
    for (const std::int64_t n : {1, 16, 32}) {
      const Decisions some = router.route(b.first(n)).decisions;
      const auto agree = same(Decisions(all.begin(), all.begin() + n), some);
      if (claimed) {
        EXPECT_TRUE(agree) << "the first " << n << " of 33, seed " << seed;
      }
      differs = differs || !agree;
    }
  }
  EXPECT_EQ(differs, !claimed);
}

TEST_P(RouterSuite, IsBatchInvariantExactlyIfItSaysSo) {
  check_batch_invariance(false);
}
TEST_P(RouterSuite, IsBatchInvariantInTrainingExactlyIfItSaysSo) {
  check_batch_invariance(true);
}

// Later tokens of the same batch change; earlier decisions must not, or a language model would read the future.
void RouterSuite::check_causality(bool training) {
  const bool claimed = row().causal && !(training && row().compares_in_training);
  bool differs = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    RouterCase<double> router(ctx, config(), D, seed);
    router.training = training;
    const Batch b = random_batch(33, D, 100 + seed), other = random_batch(33, D, 200 + seed);
    for (const std::int64_t n : {1, 16, 32}) {
      Batch changed = b;
      std::copy(other.x.begin() + n * D, other.x.end(), changed.x.begin() + n * D);
      std::copy(other.id.begin() + n, other.id.end(), changed.id.begin() + n);
      const Decisions before = router.route(b).decisions, after = router.route(changed).decisions;
      const auto agree =
          same(Decisions(before.begin(), before.begin() + n), Decisions(after.begin(), after.begin() + n));
      if (claimed) {
        EXPECT_TRUE(agree) << "tokens from " << n << " on changed, seed " << seed;
      }
      differs = differs || !agree;
    }
  }
  EXPECT_EQ(differs, !claimed);
}

TEST_P(RouterSuite, IsCausalExactlyIfItSaysSo) {
  check_causality(false);
}
TEST_P(RouterSuite, IsCausalInTrainingExactlyIfItSaysSo) {
  check_causality(true);
}

TEST_P(RouterSuite, TiesGoToTheLowerExperts) {
  if (!scores()) return;
  RouterCase<double> router(ctx, config(), D);
  if (router.parameter.count("bias")) router.parameter["bias"]->value = Tensor::zeros(ctx, DType::f64, {E});
  const Outcome o = router.route({D, std::vector<double>(D, 0), {1}});
  const auto& choices = o.decisions[0];
  ASSERT_TRUE(!choices.empty() || !row().exactly_k);
  for (std::size_t k = 0; k < choices.size(); ++k) {
    EXPECT_EQ(choices[k].first, static_cast<std::int32_t>(k));
    EXPECT_EQ(choices[k].second, choices[0].second);
  }
}

TEST_P(RouterSuite, AllExpertsCanBeChosen) {
  if (!row().exactly_k) return;                         // their own tests say when
  const std::int64_t K = resolved(config(3, 3)).top_k;  // some routers have a K of their own
  MoeConfig c = config(K, K);
  c.capacity_factor = 1000;
  RouterCase<double> router(ctx, c, D);
  for (const auto& choices : router.route(random_batch(5, D, 4)).decisions) {
    ASSERT_EQ(static_cast<std::int64_t>(choices.size()), K);
    for (std::int64_t k = 0; k < K; ++k) EXPECT_EQ(choices[k].first, k);
  }
}

// Where all tokens are alike they go the same way, or are dropped from it.
TEST_P(RouterSuite, TokensAlikeGoTheSameWay) {
  RouterCase<double> router(ctx, config(), D);
  const Decisions alike =
      router.route(random_batch(1, D, 5).rows(std::vector<std::int64_t>(33, 0))).decisions;
  const auto all = kept_of(alike, 0, 33);
  ASSERT_TRUE(!all.empty() || !row().exactly_k);
  const std::set<std::pair<std::int32_t, double>> ways(all.begin(), all.end());
  EXPECT_LE(static_cast<std::int64_t>(ways.size()),
            row().batch_invariant && row().exactly_k ? router.config.top_k : E);
  if (row().batch_invariant) {
    for (const auto& choices : alike) EXPECT_EQ(choices, alike[0]);
  }
}

TEST_P(RouterSuite, NaNStaysInItsRow) {
  RouterCase<double> router(ctx, config(), D);
  Batch b = random_batch(9, D, 6);
  const Decisions clean = router.route(b).decisions;
  std::fill_n(b.x.begin() + 4 * D, D, NAN);
  const Outcome outcome = router.route(b);
  const Decisions& got = outcome.decisions;
  const bool spreads = outcome.routing.dense.has_value();  // every slot takes of every token
  for (std::int64_t n = 0; n < 9; ++n) {
    if (n != 4 && row().batch_invariant) {
      EXPECT_TRUE(same({got[n]}, {clean[n]})) << n;
    }
    for (const auto& [expert, weight] : got[n])
      EXPECT_EQ(std::isnan(weight), (n == 4 || spreads) && scores()) << n;
  }
  if (!row().batch_invariant) return;
  ASSERT_FALSE(got[4].empty());
  if (row().exactly_k) {
    ASSERT_EQ(static_cast<std::int64_t>(got[4].size()), router.config.top_k);
  }
  for (std::size_t k = 0; scores() && k < got[4].size(); ++k)
    EXPECT_EQ(got[4][k].first, static_cast<std::int32_t>(k));
}

TEST_P(RouterSuite, GradientsAgreeWithFiniteDifferences) {
  RouterCase<double> router(ctx, config(), D);
  const Batch b = random_batch(9, D, 7);
  const TokenInfo info = router.tokens(b);
  const auto scalar = [&](ForwardContext& f, const std::vector<Value>& in) {
    LossSink losses;
    ForwardContext g{.ctx = f.ctx,
                     .tape = f.tape,
                     .seed = 7,
                     .step = 3,
                     .training = true,
                     .tokens = &info,
                     .losses = &losses};
    Value sum = project(g, router.router->route(g, in[0]).weight);
    for (const LossSink::Item& item : losses.items) sum = ops::add(g, sum, scaled(g, item.loss, 0.5));
    return sum;
  };
  router.train(b);
  std::vector<Parameter*> trained;
  for (auto& [name, p] : router.parameter) {
    const bool by_a_rule = p->after_step || p->on_frequencies || std::string(row().name) == "frozen";
    EXPECT_EQ(p->has_grad, !by_a_rule) << name;
    if (p->has_grad) trained.push_back(p);
  }
  if (!scores()) return;
  const GradientCheck check = check_all(ctx, {router.input(b)}, trained, scalar);
  EXPECT_LT(check.worst, 1e-5) << check.where;
}

TEST_P(RouterSuite, TheNumberOfThreadsDoesNotShow) {
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    Context mine(threads);
    RouterCase<float> router(mine, config(), D);
    const auto all = router.train(random_batch(2000, D, 8));
    if (threads == 1) first = all;
    ASSERT_EQ(all.size(), first.size());
    EXPECT_EQ(std::memcmp(all.data(), first.data(), all.size() * sizeof(float)), 0) << threads << " threads";
  }
}

TEST_P(RouterSuite, EveryDeviceDecidesAlike) {
  RouterCase<float> here(ctx, config(), D);
  for (const std::int64_t N : {0, 1, 33, 129}) {
    const Batch b = random_batch(N, D, 9);
    for (const bool training : {false, true}) {
      here.training = training;
      const Decisions expected = here.route(b).decisions;
      const auto gradients = here.train(b);
      each_device([&](Context& device) {
        RouterCase<float> there(device, config(), D);
        there.training = training;
        EXPECT_TRUE(same(there.route(b).decisions, expected, 1e-6));
        EXPECT_TRUE(close(there.train(b), gradients, {1e-5, 1e-4}));
      });
    }
  }
}

std::vector<const RouterRow*> all_rows() {
  std::vector<const RouterRow*> rows;
  for (const RouterRow& row : router_table()) rows.push_back(&row);
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Table, RouterSuite, ::testing::ValuesIn(all_rows()),
                         [](const auto& row) { return std::string(row.param->name); });

}  // namespace
}  // namespace moe::testing
