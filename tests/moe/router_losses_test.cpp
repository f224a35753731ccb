// Over what the balance loss counts, which fields a router reads, and K that grows.
#include "common/moe/routers/router_losses.hpp"

#include <gtest/gtest.h>

#include "common/moe/fields.hpp"
#include "common/moe/routers/frozen.hpp"
#include "tests/moe/router_case.hpp"

namespace moe::testing {
namespace {

double aux(RouterCase<double>& router, const Batch& b, std::int64_t sequences) {
  LossSink losses;
  TokenInfo info = router.tokens(b);
  info.sequences = sequences, info.length = b.N() / sequences;
  ForwardContext f{.ctx = router.ctx, .training = true, .tokens = &info, .losses = &losses};
  router.router->route(f, router.input(b));
  EXPECT_EQ(losses.items.at(0).name, "aux");
  return scalar_of(losses.items.at(0).loss.tensor);
}

// E·Σ_e f_e·P_e of the tokens [begin, end), with f from [count_begin, end).
double oracle(const Batch& b, const std::vector<double>& w, std::int64_t E, std::int64_t K,
              std::int64_t count_begin, std::int64_t begin, std::int64_t end) {
  std::vector<double> f(E), P(E);
  for (std::int64_t n = count_begin; n < end; ++n) {
    std::vector<double> p(E);
    double sum = 0;
    for (std::int64_t e = 0; e < E; ++e) {
      for (std::int64_t d = 0; d < b.D; ++d) p[e] += w[e * b.D + d] * b.x[n * b.D + d];
      sum += p[e] = std::exp(p[e]);
    }
    std::vector<double> sorted = p;
    std::sort(sorted.rbegin(), sorted.rend());
    for (std::int64_t e = 0; e < E; ++e) {
      if (p[e] >= sorted[K - 1]) f[e] += 1 / static_cast<double>((end - count_begin) * K);
      if (n >= begin) P[e] += p[e] / sum / static_cast<double>(end - begin);
    }
  }
  return static_cast<double>(E) * std::inner_product(f.begin(), f.end(), P.begin(), 0.0);
}

class BalanceScope : public ::testing::Test {
 protected:
  RouterCase<double> router(const char* scope) {
    MoeConfig c = moe_config({0, 3, 4, 5, 2});
    c.balance = scope;
    return {ctx, c, 3};
  }
  std::vector<double> weight(RouterCase<double>& r) {
    return values_of<double>(r.parameter["weight"]->value);
  }
  Context ctx;
  Batch b = random_batch(24, 3, 2);
};

TEST_F(BalanceScope, ASequenceIsBalancedByItself) {
  auto r = router("sequence");
  for (const std::int64_t S : {1, 2, 3, 24}) {
    double mean = 0;
    for (std::int64_t s = 0; s < S; ++s)
      mean += oracle(b, weight(r), 5, 2, s * 24 / S, s * 24 / S, (s + 1) * 24 / S) / static_cast<double>(S);
    EXPECT_NEAR(aux(r, b, S), mean, 1e-12) << S;
  }
  auto batch = router("batch");
  EXPECT_NEAR(aux(batch, b, 3), oracle(b, weight(batch), 5, 2, 0, 0, 24), 1e-12);
  EXPECT_NEAR(aux(batch, b, 1), aux(r, b, 1), 1e-15);
  EXPECT_GT(aux(r, b, 24), aux(r, b, 1)) << "stricter";
}

TEST_F(BalanceScope, AllPassesOfAStepAreCountedTogether) {
  auto r = router("global");
  const auto part = [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(end - begin));
    std::iota(rows.begin(), rows.end(), begin);
    return b.rows(rows);
  };
  EXPECT_NEAR(aux(r, part(0, 8), 1), oracle(b, weight(r), 5, 2, 0, 0, 8), 1e-12);
  EXPECT_NEAR(aux(r, part(8, 16), 1), oracle(b, weight(r), 5, 2, 0, 8, 16), 1e-12);
  EXPECT_NEAR(aux(r, part(16, 24), 1), oracle(b, weight(r), 5, 2, 0, 16, 24), 1e-12);
  r.parameter["weight"]->after_step(ctx);
  EXPECT_NEAR(aux(r, part(16, 24), 1), oracle(b, weight(r), 5, 2, 16, 16, 24), 1e-12) << "a new step";
}

TEST_F(BalanceScope, APassOutsideTrainingIsCountedByItself) {
  auto r = router("global");
  const TokenInfo info = r.tokens(b);
  const auto evaluated = [&] {
    LossSink losses;
    ForwardContext f{.ctx = ctx, .tokens = &info, .losses = &losses};
    r.router->route(f, r.input(b));
    return scalar_of(losses.items.at(0).loss.tensor);
  };
  const double alone = evaluated();
  EXPECT_NEAR(alone, oracle(b, weight(r), 5, 2, 0, 0, 24), 1e-12);
  const Batch few = b.first(8);
  const double first = aux(r, few, 1);
  EXPECT_EQ(evaluated(), alone) << "the step's other passes are none of its business";
  r.parameter["weight"]->after_step(ctx);
  evaluated();
  EXPECT_EQ(aux(r, few, 1), first) << "nor is it counted with a step";
}

// Sequences by themselves are what smaller batches would be, for every router with this loss.
TEST_F(BalanceScope, EveryRouterCountsASequenceAsItWouldABatch) {
  for (const RouterRow& row : router_table()) {
    if (!has_word(row.uses, "balance")) continue;
    MoeConfig c = moe_config({0, 3, 4, 5, 2});
    c.router = row.name, c.threshold = 0.5;
    RouterCase<double> batch(ctx, c, 3);
    c.balance = "sequence";
    RouterCase<double> sequence(ctx, c, 3);
    double mean = 0;
    for (std::int64_t begin : {0, 6, 12, 18}) {
      std::vector<std::int64_t> rows(6);
      std::iota(rows.begin(), rows.end(), begin);
      mean += aux(batch, b.rows(rows), 1) / 4;
    }
    EXPECT_NEAR(aux(sequence, b, 4), mean, 1e-12) << row.name;
    EXPECT_GT(std::abs(aux(batch, b, 4) - mean), 1e-3) << row.name << ": this batch shows nothing";
  }
}

TEST_F(BalanceScope, GradientsOfASequenceAgreeWithDifferences) {
  auto r = router("sequence");
  TokenInfo info = r.tokens(b);
  info.sequences = 4, info.length = 6;
  const auto scalar = [&](ForwardContext& f, const std::vector<Value>& in) {
    LossSink losses;
    ForwardContext g{.ctx = f.ctx, .tape = f.tape, .training = true, .tokens = &info, .losses = &losses};
    r.router->route(g, in[0]);
    return losses.items.at(0).loss;
  };
  const GradientCheck check = check_all(ctx, {r.input(b)}, {r.parameter["weight"]}, scalar);
  EXPECT_LT(check.worst, 1e-5) << check.where;
}

TEST(RouterLosses, FromZeroEveryScopeCostsOne) {
  Context ctx;
  for (const char* scope : {"batch", "sequence", "global"}) {
    MoeConfig c = moe_config({0, 3, 4, 4, 4});
    c.balance = scope;
    RouterCase<double> router(ctx, c, 3);
    router.parameter["weight"]->value = Tensor::zeros(ctx, DType::f64, {4, 3});
    EXPECT_EQ(aux(router, random_batch(12, 3, 1), 3), 1) << scope;
  }
}

// All that a few steps of a router give, so that a field with any effect shows.
std::vector<double> trace(Context& ctx, const MoeConfig& config) {
  RouterCase<double> router(ctx, config, 6);
  std::vector<double> all;
  for (int step = 0; step < 2; ++step)
    for (int pass = 0; pass < 2; ++pass) {
      const Batch b = random_batch(32, 6, 10 + pass);
      TokenInfo info = router.tokens(b);
      info.sequences = 4, info.length = 8;
      LossSink losses;
      ForwardContext f{.ctx = ctx, .step = 1, .training = true, .tokens = &info, .losses = &losses};
      const Routing r = router.router->route(f, router.input(b));
      if (!r.dense)
        for (const std::int32_t e : values_of<std::int32_t>(r.expert)) all.push_back(e);
      for (const double w : values_of<double>(r.weight.tensor)) all.push_back(w);
      for (const LossSink::Item& item : losses.items) {
        all.push_back(item.coefficient);
        all.push_back(scalar_of(item.loss.tensor));
      }
      if (pass == 1)
        for (auto& [name, p] : router.parameter)
          if (p->after_step) p->after_step(ctx);
    }
  return all;
}

MoeConfig changed(MoeConfig c, const MoeField& field) {
  if (field.key == "groups") return c.groups = 4, c.kept_groups = 2, c;
  if (field.key == "kept_groups") return c.groups = 4, c.kept_groups = 3, c;
  if (auto* boolean = std::get_if<bool MoeConfig::*>(&field.member)) c.** boolean = !(c.**boolean);
  if (auto* integer = std::get_if<std::int64_t MoeConfig::*>(&field.member)) c.** integer += 3;
  if (auto* number = std::get_if<double MoeConfig::*>(&field.member)) c.** number = c.**number / 2 + 0.3;
  if (field.key == "balance") c.balance = "sequence";
  return c;
}

// Both ways: what a row says it uses changes something, what it does not say changes nothing.
TEST(RouterTable, UsesNamesExactlyTheFieldsThatHaveAnEffect) {
  Context ctx;
  for (const RouterRow& row : router_table()) {
    std::istringstream words(row.uses);
    for (std::string word; words >> word;) EXPECT_TRUE(find_field(word)) << row.name << ": " << word;
    MoeConfig plain = moe_config({0, 6, 4, 8, 2});
    plain.router = row.name;
    for (const MoeField& field : kMoeFields) {
      MoeConfig base = plain;
      if (field.key == "kept_groups") base.groups = 4, base.kept_groups = 2;
      const bool differs = trace(ctx, base) != trace(ctx, changed(base, field));
      if (field.key != "kept_groups" || has_word(row.uses, "kept_groups")) {
        EXPECT_EQ(differs, has_word(row.uses, field.key)) << row.name << ": " << field.key;
      }
    }
  }
}

TEST(Frozen, KGrowsDuringTrainingOnly) {
  MoeConfig c = moe_config({0, 6, 4, 8, 4});
  c.router = "frozen", c.k_growth_steps = 9;
  std::vector<std::int64_t> K;
  for (const std::int64_t step : {0, 2, 3, 5, 6, 8, 9, 1000}) K.push_back(growing_top_k(c, step));
  EXPECT_EQ(K, (std::vector<std::int64_t>{1, 1, 2, 2, 3, 3, 4, 4}));
  c.k_growth_steps = 0;
  EXPECT_EQ(growing_top_k(c, 0), 4);
  c.k_growth_steps = 9;
  Context ctx;
  RouterCase<double> router(ctx, c, 6);
  const Batch b = random_batch(5, 6, 1);
  EXPECT_EQ(router.route(b).routing.per_token, 4);
  router.training = true;  // RouterCase routes at step 3
  EXPECT_EQ(router.route(b).routing.per_token, 2);
}

}  // namespace
}  // namespace moe::testing
