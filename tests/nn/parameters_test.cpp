// What a model's parameters are called, in which order, and how they start.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/nn/support.hpp"

namespace moe::testing {
namespace {

using Names = std::vector<std::string>;

Names names_of(const LanguageModelConfig& config) {
  Context ctx;
  LanguageModel model(ctx, config);
  Names names;
  model.visit([&](const std::string& name, Parameter& p) {
    names.push_back(concat(name, " ", to_string(p.value.shape()),
                           p.group == ParameterGroup::expert ? " expert" : "", p.decay ? "" : " no decay"));
  });
  return names;
}

TEST(Parameters, OfADenseModel) {
  LanguageModelConfig config = tiny_config(0);
  config.layers = 1;
  EXPECT_EQ(names_of(config), (Names{
                                  "model.embed_tokens.weight (11, 6)",
                                  "model.layers.0.input_layernorm.weight (6) no decay",
                                  "model.layers.0.self_attn.qkv_proj.weight (32, 6)",
                                  "model.layers.0.self_attn.o_proj.weight (6, 16)",
                                  "model.layers.0.post_attention_layernorm.weight (6) no decay",
                                  "model.layers.0.mlp.gate_up.weight (1, 10, 6)",
                                  "model.layers.0.mlp.down.weight (1, 6, 5)",
                                  "model.norm.weight (6) no decay",
                                  "lm_head.weight (11, 6)",
                              }));
}

TEST(Parameters, OfAMixtureWithATiedHead) {
  LanguageModelConfig config = tiny_config(4);
  config.tied_head = true;
  EXPECT_EQ(names_of(config), (Names{
                                  "model.embed_tokens.weight (11, 6)",
                                  "model.layers.0.input_layernorm.weight (6) no decay",
                                  "model.layers.0.self_attn.qkv_proj.weight (32, 6)",
                                  "model.layers.0.self_attn.o_proj.weight (6, 16)",
                                  "model.layers.0.post_attention_layernorm.weight (6) no decay",
                                  "model.layers.0.block_sparse_moe.gate.weight (4, 6)",
                                  "model.layers.0.block_sparse_moe.experts.gate_up.weight (4, 10, 6) expert",
                                  "model.layers.0.block_sparse_moe.experts.down.weight (4, 6, 5) expert",
                                  "model.layers.1.input_layernorm.weight (6) no decay",
                                  "model.layers.1.self_attn.qkv_proj.weight (32, 6)",
                                  "model.layers.1.self_attn.o_proj.weight (6, 16)",
                                  "model.layers.1.post_attention_layernorm.weight (6) no decay",
                                  "model.layers.1.block_sparse_moe.gate.weight (4, 6)",
                                  "model.layers.1.block_sparse_moe.experts.gate_up.weight (4, 10, 6) expert",
                                  "model.layers.1.block_sparse_moe.experts.down.weight (4, 6, 5) expert",
                                  "model.norm.weight (6) no decay",
                              }));
}

TEST(Parameters, OfNormalisedQueriesAndKeys) {
  LanguageModelConfig config = tiny_config(0);
  config.qk_norm = true;
  const Names names = names_of(config);
  ASSERT_EQ(names.size(), 3u + 2 * 8);
  EXPECT_EQ(names[3], "model.layers.0.self_attn.q_norm.weight (16) no decay");
  EXPECT_EQ(names[4], "model.layers.0.self_attn.k_norm.weight (8) no decay");
  EXPECT_EQ(names[5], "model.layers.0.self_attn.o_proj.weight (6, 16)");
}

LanguageModelConfig wide_config() {
  LanguageModelConfig c = tiny_config(4);
  c.vocabulary = 300;
  c.width = 64;
  c.heads = 4;
  c.head_width = 8;
  c.ffn_width = 96;
  return c;
}

std::vector<std::vector<float>> initial(std::uint64_t seed, int threads = 1) {
  Context ctx(threads);
  LanguageModel model(ctx, wide_config());
  initialise(ctx, seed, [&](const ParameterVisitor& v) { model.visit(v); });
  std::vector<std::vector<float>> all;
  model.visit([&](const std::string&, Parameter& p) { all.push_back(values_of<float>(p.value)); });
  return all;
}

TEST(Initialise, DependsOnTheSeedAndNothingElse) {
  const auto one = initial(3);
  EXPECT_EQ(initial(3), one);
  EXPECT_EQ(initial(3, 2), one);
  EXPECT_NE(initial(4)[0], one[0]);
}

TEST(Initialise, GivesEveryParameterNumbersOfItsOwn) {
  const auto all = initial(3);
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (all[i][0] != 1 && all[j][0] != 1) {  // not norms
        EXPECT_NE(all[i][0] / all[i][1], all[j][0] / all[j][1]) << i << " " << j;
      }
}

double deviation(const std::vector<float>& x) {
  double sum = 0, squares = 0;
  for (const float v : x) sum += v, squares += static_cast<double>(v) * v;
  const double n = static_cast<double>(x.size()), mean = sum / n;
  return std::sqrt(squares / n - mean * mean);
}

TEST(Initialise, DrawsWithTheDeclaredDeviationsAndSetsNormsToOne) {
  Context ctx;
  LanguageModel model(ctx, wide_config());
  initialise(ctx, 3, [&](const ParameterVisitor& v) { model.visit(v); });
  const std::map<std::string, double> expected = {
      {"model.embed_tokens.weight", 0.5},
      {"model.layers.1.self_attn.qkv_proj.weight", 1 / 8.0},                    // 1/sqrt(D)
      {"model.layers.1.self_attn.o_proj.weight", 1 / std::sqrt(32 * 2.0 * 2)},  // 1/sqrt(H·W·2L)
      {"model.layers.1.block_sparse_moe.gate.weight", 0.02},
      {"model.layers.1.block_sparse_moe.experts.gate_up.weight", 1 / 8.0},
      {"model.layers.1.block_sparse_moe.experts.down.weight", 1 / std::sqrt(96 * 2.0 * 2)},
      {"lm_head.weight", 0.02},
  };
  std::size_t seen = 0;
  model.visit([&](const std::string& name, Parameter& p) {
    const auto values = values_of<float>(p.value);
    if (name.find("norm") != std::string::npos) {
      EXPECT_EQ(values, std::vector<float>(values.size(), 1)) << name;
    } else if (const auto it = expected.find(name); it != expected.end()) {
      ++seen;
      EXPECT_NEAR(deviation(values) / it->second, 1, 4 / std::sqrt(2.0 * static_cast<double>(values.size())))
          << name;
    }
  });
  EXPECT_EQ(seen, expected.size());
}

// A tied table is the head as well, whose logits start small.
TEST(Initialise, ATiedTableStartsAsSmallAsAHead) {
  Context ctx;
  LanguageModelConfig config = wide_config();
  config.tied_head = true;
  LanguageModel model(ctx, config);
  model.visit([](const std::string& name, Parameter& p) {
    if (name == "model.embed_tokens.weight") {
      EXPECT_EQ(p.deviation, 0.02);
    }
  });
}

TEST(Parameters, TheModelsConfigurationIsTheResolvedOne) {
  Context ctx;
  LanguageModelConfig config = tiny_config(4);
  config.moe.router = "switch", config.moe.vocabulary = 0;
  const LanguageModel model(ctx, config);
  EXPECT_EQ(model.config().moe.top_k, 1);
  EXPECT_EQ(model.config().moe.capacity_factor, 1.25);
  EXPECT_EQ(model.config().moe.vocabulary, config.vocabulary);
}

TEST(Initialise, StartsNearTheUniformDistributionWithoutNaN) {
  for (const std::int64_t experts : {0, 4}) {
    LanguageModelConfig config = wide_config();
    config.moe.experts = experts;
    Context ctx;
    LanguageModel model(ctx, config);
    initialise(ctx, 3, [&](const ParameterVisitor& v) { model.visit(v); });
    const Batch batch = batch_of(ctx, 2, 33, config.vocabulary);
    ForwardContext f{.ctx = ctx, .tokens = &batch.tokens};
    const Value logits = model.forward(f);
    EXPECT_NEAR(scalar_of(ops::cross_entropy(f, logits, batch.target).tensor), std::log(300.0), 0.1);
  }
}

}  // namespace
}  // namespace moe::testing
