#include "common/nn/cost.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/nn/support.hpp"

namespace moe::testing {
namespace {

// V 11, D 6, L 2, H 4, G 2, W 4, F 5, T 8, E 4, K 2.
TEST(Cost, OfATinyMixtureByHand) {
  const ModelCost cost = cost_of(tiny_config());
  // One layer: norms 12, attention 6·16 + 2·6·8 + 16·6 = 288, router 24, an expert 3·6·5 = 90. Outside: 66 + 66 + 6.
  EXPECT_EQ(cost.parameters, 138 + 2 * (12 + 288 + 24 + 4 * 90));
  EXPECT_EQ(cost.active_parameters, 138 + 2 * (12 + 288 + 24 + 2 * 90));
  // Two FLOPs a weight; scores and averages 2·2·H·W = 64 for each of (8 + 1)/2 keys; the head.
  EXPECT_DOUBLE_EQ(cost.flops_per_token, 2 * (2 * (288 + 24 + 180) + 64 * 4.5) + 2 * 66);
}

TEST(Cost, OfATinyDenseModelByHand) {
  LanguageModelConfig config = tiny_config(0);
  config.tied_head = true;
  const ModelCost cost = cost_of(config);
  EXPECT_EQ(cost.parameters, 72 + 2 * (12 + 288 + 90));
  EXPECT_EQ(cost.active_parameters, cost.parameters);
  EXPECT_DOUBLE_EQ(cost.flops_per_token,
                   2 * (2 * (288 + 90) + 64 * 4.5) + 2 * 66);  // a tied head is multiplied all the same
}

TEST(Cost, NormsOfQueriesAndKeysAreParametersWithoutMatrixProducts) {
  LanguageModelConfig config = tiny_config();
  const ModelCost without = cost_of(config);
  config.qk_norm = true;
  EXPECT_EQ(cost_of(config).parameters - without.parameters, 2 * (16 + 8));
  EXPECT_EQ(cost_of(config).flops_per_token, without.flops_per_token);
}

// The numbers of the first test, part by part; and sums that must be the whole, tied or not, dense or not.
TEST(Cost, PartsSumToTheWhole) {
  const CostParts p = parts_of(tiny_config());
  EXPECT_EQ(p.embedding.parameters, 66);
  EXPECT_EQ(p.attention.parameters, 2 * 288);
  EXPECT_EQ(p.ffn.parameters, 2 * 4 * 90);
  EXPECT_EQ(p.ffn.active_parameters, 2 * 2 * 90);
  EXPECT_EQ(p.router.parameters, 2 * 24);
  EXPECT_EQ(p.norms.parameters, 6 + 2 * 12);
  EXPECT_EQ(p.head.parameters, 66);
  EXPECT_DOUBLE_EQ(p.attention.flops_per_token, 2 * (2 * 288 + 64 * 4.5));
  for (const std::int64_t experts : {0, 4})
    for (const bool tied : {false, true}) {
      LanguageModelConfig config = tiny_config(experts);
      config.tied_head = config.qk_norm = tied;
      const ModelCost whole = cost_of(config);
      const CostParts parts = parts_of(config);
      std::int64_t parameters = 0, active = 0;
      double flops = 0;
      for (const CostPart* part : parts.all()) {
        parameters += part->parameters;
        active += part->active_parameters;
        flops += part->flops_per_token;
      }
      EXPECT_EQ(parameters, whole.parameters);
      EXPECT_EQ(active, whole.active_parameters);
      EXPECT_DOUBLE_EQ(flops, whole.flops_per_token);
      EXPECT_EQ(parts.router.parameters, experts > 0 ? 48 : 0);
      config.moe.router = "soft_moe";
      const CostParts soft = parts_of(config);
      double with_slots = 0;
      for (const CostPart* part : soft.all()) with_slots += part->flops_per_token;
      EXPECT_NEAR(with_slots, cost_of(config).flops_per_token, 1e-6);
    }
}

// Four experts of one slot share a sequence of T tokens: 4 / T rows a token, and mixing by dispatch and combine, (4, D) each.
TEST(Cost, SoftMoeWorksOnSlotsNotOnTokens) {
  LanguageModelConfig config = tiny_config();
  const ModelCost top = cost_of(config);
  config.moe.router = "soft_moe";
  const ModelCost soft = cost_of(config);
  const double D = config.width, layers = config.layers, F = config.ffn_width, T = config.context;
  EXPECT_EQ(soft.parameters, top.parameters);
  EXPECT_EQ(soft.active_parameters, soft.parameters);
  EXPECT_DOUBLE_EQ(soft.flops_per_token - top.flops_per_token,
                   layers * (6 * D * F * (4 / T - 2) + 4 * 4 * D));
}

TEST(Cost, SwitchUsesOneExpert) {
  LanguageModelConfig config = tiny_config();
  const ModelCost two = cost_of(config);
  config.moe.router = "switch";
  EXPECT_EQ(two.active_parameters - cost_of(config).active_parameters, 2 * 90);
  EXPECT_EQ(two.parameters, cost_of(config).parameters);
}

TEST(Cost, CountsTheElementsThatAreVisited) {
  for (const std::int64_t experts : {0, 1, 4, 8})
    for (const bool tied : {false, true})
      for (const std::int64_t layers : {1, 3}) {
        LanguageModelConfig config = tiny_config(experts);
        config.moe.top_k = 1;
        config.tied_head = tied;
        config.qk_norm = layers == 3;
        config.layers = layers;
        Context ctx;
        LanguageModel model(ctx, config);
        std::int64_t elements = 0;
        model.visit([&](const std::string&, Parameter& p) { elements += p.value.numel(); });
        EXPECT_EQ(cost_of(config).parameters, elements) << experts << " experts, " << layers << " layers";
      }
}

TEST(DenseTwin, HasTheSameFlopsAndTheSameBody) {
  for (const std::int64_t width : {32, 128, 512})
    for (const std::int64_t experts : {2, 8, 64})
      for (const std::int64_t top_k : {1, 2}) {
        LanguageModelConfig config;
        config.width = width;
        config.ffn_width = 3 * width;
        config.moe.experts = experts;
        config.moe.top_k = top_k;
        const LanguageModelConfig twin = dense_twin(config);
        EXPECT_EQ(twin.moe.experts, 0);
        EXPECT_EQ(twin.width, config.width);
        EXPECT_EQ(twin.layers, config.layers);
        EXPECT_EQ(twin.heads, config.heads);
        EXPECT_EQ(twin.ffn_width % 4, 0);
        EXPECT_NEAR(cost_of(twin).flops_per_token / cost_of(config).flops_per_token, 1, 0.01)
            << width << " " << experts;
      }
}

TEST(DenseTwin, RoundsToTheMultipleAskedFor) {
  LanguageModelConfig config;
  config.moe.experts = 8;
  EXPECT_EQ(dense_twin(config, 1).ffn_width,
            2 * 192 + 3);  // K experts and a router of 8·D, which is 8/3 of width
  EXPECT_EQ(dense_twin(config, 64).ffn_width, 384);
}

}  // namespace
}  // namespace moe::testing
