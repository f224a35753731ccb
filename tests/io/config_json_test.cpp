#include "common/io/config_json.hpp"

#include <algorithm>
#include <limits>

#include "common/moe/fields.hpp"
#include "tests/io/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;

bool equal(const LanguageModelConfig& a, const LanguageModelConfig& b) {
  const bool fields = std::ranges::all_of(kMoeFields, [&](const MoeField& field) {
    return std::visit([&](auto member) { return a.moe.*member == b.moe.*member; }, field.member);
  });
  return fields && a.vocabulary == b.vocabulary && a.width == b.width && a.layers == b.layers &&
         a.heads == b.heads && a.kv_heads == b.kv_heads && a.head_width == b.head_width &&
         a.ffn_width == b.ffn_width && a.context == b.context && a.rope_theta == b.rope_theta &&
         a.norm_epsilon == b.norm_epsilon && a.tied_head == b.tied_head && a.qk_norm == b.qk_norm &&
         a.moe.experts == b.moe.experts && a.moe.router == b.moe.router;
}

// No field has its default, no double is a short decimal.
LanguageModelConfig unusual() {
  LanguageModelConfig c;
  c.vocabulary = 1001, c.width = 72, c.layers = 3, c.heads = 6, c.kv_heads = 3, c.head_width = 14,
  c.ffn_width = 77;
  c.context = 999, c.rope_theta = 1e6 / 3, c.norm_epsilon = 1e-5 / 3, c.tied_head = c.qk_norm = true;
  c.moe.experts = 5, c.moe.router = "noisy_top_k", c.moe.groups = 5, c.moe.kept_groups = 2;
  c.moe.top_k = 3, c.moe.balance = "sequence", c.moe.renormalise = false;
  for (const MoeField& field : kMoeFields)
    if (auto* number = std::get_if<double MoeConfig::*>(&field.member))
      c.moe.** number = 1 + c.moe.**number / 7;
  c.moe.threshold = 1.0 / 3, c.moe.null_experts = 7, c.moe.score_width = 3, c.moe.k_growth_steps = 99,
  c.moe.slots = 3, c.moe.router_bits = 7;
  return c;
}

constexpr const char* kSource = "config.json";
LanguageModelConfig parse(const std::string& text) {
  return parse_config_json(text, kSource);
}

TEST(ConfigJson, RoundTripIsExact) {
  for (LanguageModelConfig c : {LanguageModelConfig{}, unusual()}) {
    EXPECT_TRUE(equal(parse(to_config_json(c)), c)) << to_config_json(c);
    c.moe.experts = c.moe.experts ? 0 : 8;
    EXPECT_TRUE(equal(parse(to_config_json(c)), c)) << to_config_json(c);
  }
  EXPECT_FALSE(equal(unusual(), LanguageModelConfig{}));
}

// A field that was added and not given a value here would not be seen to be lost.
TEST(ConfigJson, TheUnusualConfigLeavesNoFieldAtItsDefault) {
  const MoeConfig plain, unusual_one = unusual().moe;
  for (const MoeField& field : kMoeFields)
    std::visit([&](auto member) { EXPECT_NE(plain.*member, unusual_one.*member) << field.key; },
               field.member);
}

TEST(ConfigJson, FilesRoundTrip) {
  TemporaryDirectory directory;
  write_config(directory / "config.json", unusual());
  EXPECT_TRUE(equal(read_config(directory / "config.json"), unusual()));
  put(directory / "config.json", "{");
  EXPECT_TRUE(
      says(complaint([&] { read_config(directory / "config.json"); }), (directory / "config.json").string()));
}

TEST(ConfigJson, TypeFollowsTheExperts) {
  LanguageModelConfig c;
  EXPECT_TRUE(says(to_config_json(c), R"("model_type": "llama")"));
  c.moe.experts = 4;
  EXPECT_TRUE(says(to_config_json(c), R"("model_type": "mixtral")"));
  EXPECT_TRUE(says(to_config_json(c), R"("num_local_experts": 4)"));
}

// The keys and numbers that a public 8 x 7B model has.
constexpr const char* kMixtral = R"({
  "architectures": ["MixtralForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2,
  "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
  "max_position_embeddings": 32768, "model_type": "mixtral", "num_attention_heads": 32, "num_experts_per_tok": 2,
  "num_hidden_layers": 32, "num_key_value_heads": 8, "num_local_experts": 8, "output_router_logits": false,
  "rms_norm_eps": 1e-05, "rope_theta": 1000000.0, "router_aux_loss_coef": 0.02, "sliding_window": null,
  "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 32000})";

TEST(ConfigJson, ReadsMixtral) {
  LanguageModelConfig expected;
  expected.vocabulary = 32000, expected.width = 4096, expected.layers = 32, expected.heads = 32,
  expected.kv_heads = 8;
  expected.head_width = 128, expected.ffn_width = 14336, expected.context = 32768, expected.rope_theta = 1e6;
  expected.norm_epsilon = 1e-5, expected.moe.experts = 8, expected.moe.top_k = 2,
  expected.moe.balance_coefficient = 0.02;
  EXPECT_TRUE(equal(parse(kMixtral), expected));
  EXPECT_EQ(parameter_count(parse(kMixtral)), 46702792704.0);  // the published count
}

// The keys and numbers that a public 1B-7B model has.
constexpr const char* kOlmoe = R"({
  "architectures": ["OlmoeForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "clip_qkv": null,
  "eos_token_id": 50279, "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 1024,
  "max_position_embeddings": 4096, "model_type": "olmoe", "norm_topk_prob": false, "num_attention_heads": 16,
  "num_experts": 64, "num_experts_per_tok": 8, "num_hidden_layers": 16, "num_key_value_heads": 16,
  "output_router_logits": false, "pad_token_id": 1, "rope_scaling": null, "rope_theta": 10000.0,
  "router_aux_loss_coef": 0.01, "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
  "vocab_size": 50304})";

TEST(ConfigJson, ReadsOlmoe) {
  LanguageModelConfig expected;
  expected.vocabulary = 50304, expected.width = 2048, expected.layers = 16, expected.heads = 16,
  expected.kv_heads = 16;
  expected.head_width = 128, expected.ffn_width = 1024, expected.context = 4096, expected.qk_norm = true;
  expected.moe.experts = 64, expected.moe.top_k = 8, expected.moe.renormalise = false,
  expected.moe.balance_coefficient = 0.01;
  EXPECT_TRUE(equal(parse(kOlmoe), expected));
  EXPECT_EQ(parameter_count(parse(kOlmoe)), 6919161856.0);  // the published count
  const ModelJson json = parse_model_json(kOlmoe, kSource);
  EXPECT_EQ(json.layout, Layout::olmoe);
  EXPECT_EQ(json.dtype, "bfloat16");
  EXPECT_EQ(json.carried, (Metadata{{"eos_token_id", "50279"}, {"pad_token_id", "1"}}));
}

constexpr const char* kLlama =
    R"({"model_type":"llama","vocab_size":100,"hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,)"
    R"("intermediate_size":128,"max_position_embeddings":512})";

TEST(ConfigJson, LayoutIsOursWhereOurPartIs) {
  EXPECT_EQ(parse_model_json(kMixtral, kSource).layout, Layout::mixtral);
  EXPECT_EQ(parse_model_json(kLlama, kSource).layout, Layout::llama);
  EXPECT_EQ(parse_model_json(to_config_json(unusual()), kSource).layout, Layout::moe);
}

TEST(ConfigJson, AbsentKeysGetTheDefaultsOfTheirModel) {
  const std::string sizes =
      R"("vocab_size":100,"hidden_size":64,"num_hidden_layers":2,"num_attention_heads":16,)"
      R"("intermediate_size":128,"max_position_embeddings":512,"num_experts_per_tok":2)";
  const LanguageModelConfig mixtral =
                                parse(R"({"model_type":"mixtral","num_local_experts":4,)" + sizes + "}"),
                            olmoe = parse(R"({"model_type":"olmoe","num_experts":4,)" + sizes + "}");
  EXPECT_EQ(mixtral.kv_heads, 8);
  EXPECT_EQ(mixtral.rope_theta, 1e6);
  EXPECT_EQ(mixtral.norm_epsilon, 1e-5);
  EXPECT_EQ(mixtral.moe.balance_coefficient, 0.001);
  EXPECT_EQ(
      parse(R"({"model_type":"mixtral","num_key_value_heads":null,"num_local_experts":4,)" + sizes + "}")
          .kv_heads,
      16);
  EXPECT_EQ(olmoe.kv_heads, 16);
  EXPECT_EQ(olmoe.rope_theta, 1e4);
  EXPECT_EQ(olmoe.norm_epsilon, 1e-5);
  EXPECT_EQ(olmoe.moe.balance_coefficient, 0.01);
  EXPECT_FALSE(olmoe.moe.renormalise);
}

TEST(ConfigJson, AbsentKeysGetTheDefaultsOfTheHeader) {
  const LanguageModelConfig c = parse(kLlama);
  EXPECT_EQ(c.kv_heads, 4);
  EXPECT_EQ(c.head_width, 16);
  EXPECT_EQ(c.rope_theta, 10000);
  EXPECT_EQ(c.norm_epsilon, 1e-6);
  EXPECT_FALSE(c.tied_head);
  EXPECT_EQ(c.moe.experts, 0);
  EXPECT_EQ(c.moe.router, "top_k");
}

// `kLlama` with one more member, or with one replaced (a later key of the same name counts).
std::string with(const std::string& base, const std::string& member) {
  return base.substr(0, base.rfind('}')) + "," + member + "}";
}

TEST(ConfigJson, TheRouterKnowsTheVocabulary) {
  EXPECT_EQ(parse(kMixtral).moe.vocabulary, parse(kMixtral).vocabulary);
}

TEST(ConfigJson, NewerRopeParametersAreRead) {
  EXPECT_EQ(parse(with(kLlama, R"("rope_parameters":{"rope_theta":5e5,"rope_type":"default"})")).rope_theta,
            5e5);
  EXPECT_EQ(parse(with(kLlama, R"("rope_scaling":null,"head_dim":null)")).head_width, 16);
}

TEST(ConfigJson, EachFaultNamesKeyValueAndWhatIsAllowed) {
  const struct {
    const char *base, *member, *found, *allowed;
  } cases[] = {
      {kLlama, R"("hidden_size":0)", "hidden_size is 0", "1 to 131072"},
      {kLlama, R"("hidden_size":-5)", "hidden_size is -5", "1 to 131072"},
      {kLlama, R"("hidden_size":64.0)", "hidden_size is 64.0", "an integer"},
      {kLlama, R"("hidden_size":"64")", "hidden_size is \"64\"", "an integer"},
      {kLlama, R"("hidden_size":[64])", "hidden_size is an array", "an integer"},
      {kLlama, R"("hidden_size":true)", "hidden_size is true", "an integer"},
      {kLlama, R"("hidden_size":null)", "hidden_size is absent", "an integer"},
      {kLlama, R"("hidden_size":18446744073709551615)", "hidden_size is 18446744073709551615", "an integer"},
      {kLlama, R"("vocab_size":16777217)", "vocab_size is 16777217", "1 to 16777216"},
      {kLlama, R"("num_hidden_layers":4097)", "num_hidden_layers is 4097", "1 to 4096"},
      {kLlama, R"("num_attention_heads":0)", "num_attention_heads is 0", "1 or more"},
      {kLlama, R"("num_attention_heads":5000)", "num_attention_heads is 5000", "1 to 4096"},
      {kLlama, R"("num_key_value_heads":3)", "num_key_value_heads is 3",
       "a divisor of num_attention_heads (4)"},
      {kLlama, R"("num_key_value_heads":8)", "num_key_value_heads is 8", "1 to 4"},
      {kLlama, R"("head_dim":15)", "head_dim is 15", "an even number"},
      {kLlama, R"("head_dim":0)", "head_dim is 0", "2 to 4096"},
      {kLlama, R"("intermediate_size":1048577)", "intermediate_size is 1048577", "1 to 1048576"},
      {kLlama, R"("max_position_embeddings":0)", "max_position_embeddings is 0", "1 to 16777216"},
      {kLlama, R"("rope_theta":0)", "rope_theta is 0", "1 to 1e+12"},
      {kLlama, R"("rope_theta":"big")", "rope_theta is \"big\"", "a number"},
      {kLlama, R"("rms_norm_eps":-1e-5)", "rms_norm_eps is -1e-05", "1e-30 to 1"},
      {kLlama, R"("tie_word_embeddings":1)", "tie_word_embeddings is 1", "true or false"},
      {kLlama, R"("model_type":"gpt2")", "model_type is \"gpt2\"", "\"mixtral\", \"olmoe\" or \"llama\""},
      {kLlama, R"("num_local_experts":4)", "num_local_experts is 4 in a model of type \"llama\"",
       "0 or absent in \"llama\""},
      {kLlama, R"("hidden_act":"gelu")", "hidden_act is \"gelu\"", "\"silu\""},
      {kLlama, R"("attention_bias":true)", "attention_bias is true", "null or false"},
      {kLlama, R"("sliding_window":4096)", "sliding_window is 4096", "null or false"},
      {kLlama, R"("rope_scaling":{"type":"linear"})", "rope_scaling is an object", "null or false"},
      {kLlama, R"("rope_parameters":{"rope_type":"yarn"})", "rope_parameters.rope_type is \"yarn\"",
       "\"default\""},
      {kLlama, R"("rope_parameters":7)", "rope_parameters is 7", "an object"},
      {kLlama, R"("rope_parameters":{"partial_rotary_factor":0.5})",
       "rope_parameters.partial_rotary_factor is 0.5", "1"},
      {kLlama, R"("partial_rotary_factor":0.25)", "partial_rotary_factor is 0.25", "1"},
      {kLlama, R"("quantization_config":{})", "quantization_config is an object", "null or false"},
      {kLlama, R"("eos_token_id":"</s>")", "eos_token_id is \"</s>\"", "an integer"},
      {kOlmoe, R"("clip_qkv":8.0)", "clip_qkv is 8.0", "null or false"},
      {kOlmoe, R"("num_experts":null)", "num_experts is absent", "an integer"},
      {kOlmoe, R"("num_experts":0)", "num_experts is 0 in a model of type \"olmoe\"", "1 or more"},
      {kOlmoe, R"("head_dim":64)", "head_dim is 64", "hidden_size / num_attention_heads"},
      {kOlmoe, R"("norm_topk_prob":1)", "norm_topk_prob is 1", "true or false"},
      {kOlmoe, R"("moe_odyssey":{})", "moe_odyssey is an object", "null or false"},
      {kMixtral, R"("num_local_experts":0)", "num_local_experts is 0 in a model of type \"mixtral\"",
       "1 or more"},
      {kMixtral, R"("num_local_experts":null)", "num_local_experts is absent", "an integer"},
      {kMixtral, R"("num_local_experts":65537)", "num_local_experts is 65537", "0 to 65536"},
      {kMixtral, R"("num_experts_per_tok":9)", "num_experts_per_tok is 9", "1 to 8"},
      {kMixtral, R"("num_experts_per_tok":0)", "num_experts_per_tok is 0", "1 to 8"},
      {kMixtral, R"("router_aux_loss_coef":-1)", "router_aux_loss_coef is -1", "0 to 1e+06"},
      {kMixtral, R"("num_local_experts":60000)", "the number of parameters is", "at most 1.09951e+12"},
      {kMixtral, R"("moe_odyssey":[])", "moe_odyssey is an array", "an object"},
      {kMixtral, R"("moe_odyssey":{"groups":3})", "moe_odyssey.groups is 3",
       "a divisor of num_local_experts (8)"},
      {kMixtral, R"("moe_odyssey":{"router":"bias_balanced","groups":8})", "moe_odyssey.kept_groups is 1",
       "enough for 2 experts a token, of 1 a group"},
      {kMixtral, R"("moe_odyssey":{"router":"../x"})", "moe_odyssey.router is \"../x\"", "a-z, 0-9 and _"},
      {kMixtral, R"("moe_odyssey":{"router":""})", "moe_odyssey.router is \"\"", "a-z, 0-9 and _"},
      {kMixtral, R"("moe_odyssey":{"rooter":"top_k"})", "moe_odyssey.\"rooter\" is not known",
       "router qk_norm renormalise"},
      {kMixtral, R"("moe_odyssey":{"balance":"town"})", "moe_odyssey.balance is \"town\"",
       "batch sequence global"},
      {kMixtral, R"("moe_odyssey":{"threshold":2})", "moe_odyssey.threshold is 2", "0 to 1"},
      {kMixtral, R"("moe_odyssey":{"renormalise":0})", "moe_odyssey.renormalise is 0", "true or false"},
      {kMixtral, R"("moe_odyssey":{"capacity_factor":-0.5})", "moe_odyssey.capacity_factor is -0.5",
       "0 to 1e+06"},
      {kMixtral, R"("moe_odyssey":{"z_coefficient":"x"})", "moe_odyssey.z_coefficient is \"x\"", "a number"},
  };
  for (const auto& c : cases) {
    const std::string text = complaint([&] { parse(with(c.base, c.member)); });
    EXPECT_TRUE(says(text, std::string(kSource) + ": " + c.found)) << c.member;
    EXPECT_TRUE(says(text, c.allowed)) << c.member;
  }
}

TEST(ConfigJson, WhatIsNoObjectIsRefused) {
  for (const std::string text : {"", "[]", "7", "{", "{\"a\":}", "{}}", "{\"a\":1e999}", "{\"\xff\":1}"})
    EXPECT_TRUE(says(complaint([&] { parse(text); }), "is no JSON object")) << text;
  EXPECT_TRUE(says(complaint([&] { parse(std::string(kLlama) + '\0' + "x"); }), "is no JSON object"));
  EXPECT_TRUE(says(complaint([&] { parse(std::string(1 << 20, '[')); }), "is no JSON object"));
  EXPECT_TRUE(says(complaint([&] { parse("{}"); }), "model_type is absent"));
}

TEST(ConfigJson, EveryTruncationIsRefused) {
  const std::string good = to_config_json(unusual());
  for (std::size_t n = 0; n + 2 < good.size(); ++n)
    EXPECT_NE(complaint([&] { parse(good.substr(0, n)); }), "") << n;
}

TEST(ConfigJson, ConfigurationThatCannotBeReadIsNotWritten) {
  LanguageModelConfig c;
  c.rope_theta = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(says(complaint([&] { to_config_json(c); }), "rope_theta is nan"));
  c = {};
  c.kv_heads = 0;
  EXPECT_TRUE(says(complaint([&] { to_config_json(c); }), "num_key_value_heads is 0"));
}

TEST(ConfigJson, ExitCodeIsTheCallers) {
  LanguageModelConfig c;
  c.head_width = 7;
  try {
    validate_config(c, "--head-width", ExitCode::usage);
    FAIL() << "accepted";
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
  }
}

}  // namespace
}  // namespace moe
