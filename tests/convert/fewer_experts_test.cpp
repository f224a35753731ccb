#include "common/convert/fewer_experts.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "common/tensor/host_values.hpp"
#include "tests/convert/support.hpp"
#include "tests/support/devices.hpp"

namespace moe::testing {
namespace {

// tiny_config with E experts, and everything in reach.
struct Case {
  TestModel test;
  Batch batch;
  std::map<std::string, Parameter*> parameter;

  explicit Case(LanguageModelConfig config, std::uint64_t seed = 7)
      : test(config, DType::f64, 2, seed), batch(batch_of(test.ctx, 3, 8, config.vocabulary, 5)) {
    test.model.visit([&](const std::string& name, Parameter& p) { parameter[name] = &p; });
  }
  static std::string name(std::size_t layer, const std::string& what) {
    return concat("model.layers.", layer, ".block_sparse_moe.", what, ".weight");
  }
  ExpertWeights experts(std::size_t l) {
    return {parameter.at(name(l, "experts.gate_up"))->value, parameter.at(name(l, "experts.down"))->value};
  }
  void set_experts(std::size_t l, const ExpertWeights& w) {
    w.write(parameter.at(name(l, "experts.gate_up"))->value, parameter.at(name(l, "experts.down"))->value);
  }
  std::vector<double> router(std::size_t l) { return host_values(parameter.at(name(l, "gate"))->value); }
  void set_router(std::size_t l, const std::vector<double>& w) {
    write_values(parameter.at(name(l, "gate"))->value, w);
  }
  std::vector<double> logits(LanguageModel& model) {
    ForwardContext f{.ctx = test.ctx, .tokens = &batch.tokens};
    return values_of<double>(model.forward(f).tensor);
  }
  std::vector<double> logits() { return logits(test.model); }
  std::vector<ExpertStatistics> observed() {
    std::vector<ExpertStatistics> s;
    observe(test.ctx, test.model, batch.tokens, s);
    return s;
  }
};

constexpr Tolerance kRound{1e-12, 1e-10};
const ExpertGroups kPairs = {{2, 0}, {3, 1}};  // of four experts, not side by side

// Experts 0 and 2 compute the same, and so do 1 and 3.
void make_twins(Case& c) {
  for (std::size_t l = 0; l < 2; ++l) {
    ExpertWeights w = c.experts(l);
    permute_neurons(w, 0, 2, shuffled(w.F, 11 + l));
    permute_neurons(w, 1, 3, shuffled(w.F, 21 + l));
    c.set_experts(l, w);
  }
}

TEST(CopyOf, ComputesTheSameAndSharesNothing) {
  Case c(tiny_config(4));
  LanguageModel copy = copy_of(c.test.ctx, c.test.model);
  const auto before = c.logits();
  EXPECT_EQ(c.logits(copy), before);
  c.set_router(0, std::vector<double>(4 * 6, 0.5));
  EXPECT_EQ(c.logits(copy), before);
  EXPECT_NE(c.logits(), before);
}

TEST(MergedModel, PermutedTwinsMergeExactly) {
  for (const std::int64_t K : {1, 2, 3, 4}) {
    SCOPED_TRACE(concat("K = ", K));
    LanguageModelConfig config = tiny_config(4);
    config.moe.top_k = K;
    Case c(config);
    make_twins(c);
    const auto before = c.logits();
    LanguageModel merged = merged_model(c.test.ctx, c.test.model, {kPairs, kPairs}, c.observed());
    EXPECT_TRUE(close(c.logits(merged), before, kRound));
    EXPECT_EQ(c.logits(), before);  // the model given stays
    EXPECT_EQ(count_parameters(c.test.model) - count_parameters(merged),
              2 * 2 * 3 * 6 * 5);  // layers, experts, 3DF
  }
}

TEST(MergedModel, DifferentExpertsDoNot) {
  Case c(tiny_config(4));
  LanguageModel merged = merged_model(c.test.ctx, c.test.model, {kPairs, kPairs}, c.observed());
  EXPECT_FALSE(close(c.logits(merged), c.logits(), {1e-3, 1e-3}));
}

// Twins also in the router's eyes, one choice a token: the pair's row is the twin's, and the gate is 1 either way.
TEST(MergedModel, TwinsWithTheSameRouterRowsMergeToOneRow) {
  LanguageModelConfig config = tiny_config(4);
  config.moe.top_k = 1;
  Case c(config);
  make_twins(c);
  for (std::size_t l = 0; l < 2; ++l) {
    auto w = c.router(l);
    std::copy_n(w.begin(), 12, w.begin() + 12);
    c.set_router(l, w);
  }
  LanguageModel merged =
      merged_model(c.test.ctx, c.test.model, {kPairs, kPairs}, c.observed(), RouterRows::merged);
  EXPECT_EQ(merged.config().moe.experts, 2);
  EXPECT_TRUE(close(c.logits(merged), c.logits(), kRound));
}

TEST(MergedModel, RouterRowsAreMeansWeightedByUse) {
  Case c(tiny_config(4));
  auto s = c.observed();
  s[0].count = {1, 0, 3, 0};
  LanguageModel merged = merged_model(c.test.ctx, c.test.model, {kPairs, kPairs}, s, RouterRows::merged);
  const auto old = c.router(0);
  std::vector<double> row;
  merged.visit([&](const std::string& name, Parameter& p) {
    if (name == Case::name(0, "gate")) row = host_values(p.value);
  });
  for (std::size_t d = 0; d < 6; ++d) {
    EXPECT_NEAR(row[d], 0.25 * old[d] + 0.75 * old[12 + d], 1e-12);
    EXPECT_NEAR(row[6 + d], 0.5 * old[6 + d] + 0.5 * old[18 + d], 1e-12);  // never used: alike
  }
}

// Nothing of the first layer shows in the second: neither its groups nor how often its experts were used.
TEST(MergedModel, EachLayerHasItsOwnGroupsAndItsOwnUse) {
  Case c(tiny_config(4));
  const std::vector<ExpertGroups> groups = {kPairs, {{1, 0}, {3, 2}}};
  auto s = c.observed();
  s[0].count = {1, 0, 3, 0};
  s[1].count = {5, 1, 1, 3};
  LanguageModel merged = merged_model(c.test.ctx, c.test.model, groups, s, RouterRows::merged);
  std::map<std::string, std::vector<double>> values;
  merged.visit([&](const std::string& name, Parameter& p) { values[name] = host_values(p.value); });
  for (std::size_t l = 0; l < 2; ++l) {
    const ExpertWeights expected = merge_experts(c.experts(l), groups[l], s[l].count);
    EXPECT_EQ(values.at(Case::name(l, "experts.gate_up")), expected.gate_up) << l;
    EXPECT_EQ(values.at(Case::name(l, "experts.down")), expected.down) << l;
  }
  const auto old = c.router(1), row = values.at(Case::name(1, "gate"));
  for (std::size_t d = 0; d < 6; ++d) {
    EXPECT_NEAR(row[d], 5.0 / 6 * old[d] + 1.0 / 6 * old[6 + d], 1e-12);
    EXPECT_NEAR(row[6 + d], 0.25 * old[12 + d] + 0.75 * old[18 + d], 1e-12);
  }
}

// Groups of other sizes in the second layer: the outputs that stay find their experts there.
TEST(MergedModel, LayersOfDifferentGroupsMergeExactly) {
  Case c(tiny_config(4));
  make_twins(c);
  ExpertWeights w = c.experts(1);
  permute_neurons(w, 0, 3, shuffled(w.F, 31));
  c.set_experts(1, w);
  const auto before = c.logits();
  LanguageModel merged = merged_model(c.test.ctx, c.test.model, {kPairs, {{2, 0, 3}, {1}}}, c.observed());
  EXPECT_TRUE(close(c.logits(merged), before, kRound));
}

// What merging leaves still learns: gradients of the shared experts against finite differences.
TEST(MergedModel, TheSharedExpertsGetGradients) {
  Case c(tiny_config(4));
  LanguageModel merged = merged_model(c.test.ctx, c.test.model, {kPairs, kPairs}, c.observed());
  std::vector<Parameter*> experts;
  merged.visit([&](const std::string&, Parameter& p) {
    p.grad = tensor_of<double>(c.test.ctx, std::vector<double>(p.value.numel(), NAN), p.value.shape());
    if (p.group == ParameterGroup::expert) experts.push_back(&p);
  });
  ASSERT_EQ(experts.size(), 4u);
  const GradientCheck check =
      check_parameters(c.test.ctx, {}, experts, [&](ForwardContext& f, const std::vector<Value>&) {
        ForwardContext g{.ctx = f.ctx, .tape = f.tape, .tokens = &c.batch.tokens};
        return project(g, merged.forward(g));
      });
  EXPECT_LT(check.worst, 1e-5) << check.where;
}

TEST(PrunedModel, KeepingAllIsTheModel) {
  Case c(tiny_config(4));
  LanguageModel all = pruned_model(c.test.ctx, c.test.model, {{0, 1, 2, 3}, {0, 1, 2, 3}});
  EXPECT_EQ(c.logits(all), c.logits());
  EXPECT_THROW(pruned_model(c.test.ctx, c.test.model, {{0, 1, 2, 3}}), Error);  // of two layers
  EXPECT_THROW(pruned_model(c.test.ctx, c.test.model, {{0, 1, 2}, {0, 1}}), Error);
}

// Of some random models whose layers leave the same number of experts unused.
TEST(PrunedModel, PruningTheUnusedChangesNothing) {
  for (const char* router : {"top_k", "bias_balanced"}) {
    SCOPED_TRACE(router);
    LanguageModelConfig config = tiny_config(6);
    config.moe.router = router;
    int found = 0;
    for (std::uint64_t seed = 1; seed <= 200 && found < 3; ++seed) {
      Case c(config, seed);
      const auto s = c.observed();
      std::vector<std::vector<std::int64_t>> kept(2);
      for (std::size_t l = 0; l < 2; ++l)
        for (std::int64_t e = 0; e < 6; ++e)
          if (s[l].count[e] > 0) kept[l].push_back(e);
      if (kept[0].size() != kept[1].size() || kept[0].size() == 6) continue;
      ++found;
      LanguageModel pruned = pruned_model(c.test.ctx, c.test.model, kept);
      EXPECT_EQ(pruned.config().moe.experts, static_cast<std::int64_t>(kept[0].size()));
      EXPECT_TRUE(close(c.logits(pruned), c.logits(), kRound));
    }
    EXPECT_GT(found, 0);
  }
}

TEST(PrunedModel, TheOrderOfExpertsDoesNotMatter) {
  LanguageModelConfig config = tiny_config(4);
  config.layers = 1;
  config.moe.top_k = 4;
  Case c(config);
  LanguageModel pruned = pruned_model(c.test.ctx, c.test.model, {{3, 0, 1, 2}});
  EXPECT_TRUE(close(c.logits(pruned), c.logits(), kRound));
}

// Against the model whose router never wants expert 1: its row points away from every input, and the others' stay.
TEST(PrunedModel, TokensOfAPrunedExpertGoToTheNextBest) {
  LanguageModelConfig config = tiny_config(4);
  config.layers = 1;
  config.moe.router = "bias_balanced";  // a bias that no score outweighs
  Case c(config);
  ASSERT_GT(c.observed()[0].count[1], 0);
  LanguageModel pruned = pruned_model(c.test.ctx, c.test.model, {{0, 2, 3}});
  write_values(c.parameter.at("model.layers.0.block_sparse_moe.gate.bias")->value, {0, -100, 0, 0});
  EXPECT_TRUE(close(c.logits(pruned), c.logits(), kRound));
}

TEST(FewerExperts, WhatCannotBeDoneIsSaid) {
  const auto exit_code = [](const LanguageModelConfig& config, auto act) {
    Case c(config);
    try {
      act(c);
    } catch (const UserError& e) {
      return e.code();
    }
    return ExitCode::ok;
  };
  const auto prune = [](Case& c) { pruned_model(c.test.ctx, c.test.model, {{0, 1}, {0, 1}}); };
  const auto look = [](Case& c) { c.observed(); };
  LanguageModelConfig hash = tiny_config(4), groups = tiny_config(4), many = tiny_config(4),
                      soft = tiny_config(4);
  soft.moe.router = "soft_moe";
  hash.moe.router = "hash";
  groups.moe.router = "bias_balanced";
  groups.moe.groups = 2;
  many.moe.top_k = 3;
  EXPECT_EQ(exit_code(tiny_config(4), prune), ExitCode::ok);
  EXPECT_EQ(exit_code(tiny_config(0), prune), ExitCode::usage);
  EXPECT_EQ(exit_code(tiny_config(0), look), ExitCode::usage);
  EXPECT_EQ(exit_code(hash, prune), ExitCode::usage);
  for (const char* router :
       {"noisy_top_k", "cosine", "null_experts", "remoe"}) {  // more than a row an expert
    LanguageModelConfig more = tiny_config(4);
    more.moe.router = router;
    EXPECT_EQ(exit_code(more, prune), ExitCode::usage) << router;
  }
  EXPECT_EQ(exit_code(hash, look), ExitCode::ok);
  EXPECT_EQ(exit_code(soft, prune), ExitCode::usage);
  EXPECT_EQ(exit_code(soft, look), ExitCode::usage);
  EXPECT_EQ(exit_code(groups, prune), ExitCode::usage);
  EXPECT_EQ(exit_code(many, prune), ExitCode::usage);
  EXPECT_EQ(
      exit_code(
          tiny_config(4),
          [](Case& c) {
            LanguageModel merged = merged_model(c.test.ctx, c.test.model, {kPairs, kPairs}, c.observed());
            pruned_model(c.test.ctx, merged, {{0, 1}, {0, 1}});
          }),
      ExitCode::usage);
}

// The offsets of shared experts are looked up on the device.
TEST(SharedExperts, EveryDeviceComputesAlike) {
  Context here(2);
  const auto x = random_normal<float>(33 * 6, 1);
  std::vector<float> expected;
  const auto run = [&](Context& ctx) {
    LanguageModelConfig config = tiny_config(4);
    config.layers = 1;
    LanguageModel model(ctx, config);
    initialise(ctx, 3, [&](const ParameterVisitor& visitor) { model.visit(visitor); });
    Batch b = batch_of(ctx, 2, 8, config.vocabulary, 5);
    std::vector<ExpertStatistics> s;
    observe(ctx, model, b.tokens, s);
    LanguageModel merged = merged_model(ctx, model, {{{2, 0, 3}, {1}}}, s);
    ForwardContext f{.ctx = ctx, .tokens = &b.tokens};
    return values_of<float>(merged.forward(f).tensor);
  };
  expected = run(here);
  each_device([&](Context& ctx) { EXPECT_TRUE(close(run(ctx), expected, {1e-5, 1e-4})); });
}

}  // namespace
}  // namespace moe::testing
