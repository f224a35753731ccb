// Conversions that must fail, or lose something; exact ones are in hf_logits_test.cpp.
#include <cmath>
#include <limits>

#include "common/io/half.hpp"
#include "common/io/hf_names.hpp"
#include "common/io/model_directory.hpp"
#include "kernels/base/bf16.hpp"
#include "tests/io/support.hpp"
#include "tests/support/compare.hpp"

namespace moe {
namespace {

using namespace moe::testing;
namespace fs = std::filesystem;

LanguageModelConfig tiny() {
  LanguageModelConfig c;
  c.vocabulary = 7, c.width = 4, c.layers = 1, c.heads = 2, c.kv_heads = 1, c.head_width = 2, c.ffn_width = 3,
  c.context = 8;
  c.moe.experts = 2;
  return c;
}

std::vector<NamedTensor> parameters_of(Context& ctx, const LanguageModelConfig& c) {
  std::vector<NamedTensor> list;
  for (const PackedParameter& p : packed_parameters(c))
    list.push_back(
        {p.name, tensor_of(ctx, random_normal<float>(element_count(p.shape), list.size()), p.shape)});
  return list;
}

void write_ours(const fs::path& directory, const LanguageModelConfig& c,
                const std::vector<NamedTensor>& parameters) {
  fs::create_directories(directory);
  write_config(directory / "config.json", c);
  write_model(directory / "model.safetensors", c, parameters);
}

TEST(Half, RoundsToTheNearestAndTiesToTheEvenOne) {
  for (std::uint32_t bits = 0; bits < 0x7c00; ++bits) {  // finite, positive
    const auto half = static_cast<std::uint16_t>(bits);
    const double x = from_f16(half);
    const double next = bits + 1 == 0x7c00 ? 65536 : from_f16(static_cast<std::uint16_t>(bits + 1));
    const auto middle = static_cast<float>((x + next) / 2);  // exact
    const auto even = static_cast<std::uint16_t>(bits & 1 ? bits + 1 : bits);
    ASSERT_EQ(to_f16(static_cast<float>(x)), half);
    ASSERT_EQ(to_f16(static_cast<float>(-x)), half | 0x8000);
    ASSERT_EQ(to_f16(middle), even) << x;
    ASSERT_EQ(to_f16(std::nextafter(middle, 0.f)), half) << x;
    ASSERT_EQ(to_f16(std::nextafter(middle, 1e9f)), half + 1) << x;
  }
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(to_f16(inf), 0x7c00);
  EXPECT_EQ(to_f16(-inf), 0xfc00);
  EXPECT_EQ(to_f16(std::numeric_limits<float>::max()), 0x7c00);
  EXPECT_EQ(to_f16(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_TRUE(std::isnan(from_f16(to_f16(nan))));
  EXPECT_TRUE(std::isnan(from_f16(to_f16(-nan))));
}

TEST(ConvertModel, HalvesAreTheRoundedNumbers) {
  Context ctx;
  TemporaryDirectory work;
  const LanguageModelConfig c = tiny();
  const std::vector<NamedTensor> parameters = parameters_of(ctx, c);
  write_ours(work / "from", c, parameters);
  for (const std::string dtype : {"BF16", "F16"}) {
    convert_model(ModelDirectory(work / "from"), work / dtype, {.layout = Layout::mixtral, .dtype = dtype});
    const ModelDirectory directory(work / dtype);
    EXPECT_EQ(directory.json().dtype, dtype == "BF16" ? "bfloat16" : "float16");
    std::vector<NamedTensor> read;
    for (const NamedTensor& p : parameters)
      read.push_back({p.name, Tensor::zeros(ctx, DType::f32, p.tensor.shape())});
    directory.read(read);
    for (std::size_t i = 0; i < read.size(); ++i) {
      std::vector<float> expected = values_of<float>(parameters[i].tensor);
      for (float& x : expected) x = dtype == "BF16" ? rounded_to_bf16(x) : from_f16(to_f16(x));
      EXPECT_EQ(values_of<float>(read[i].tensor), expected) << read[i].name;
    }
  }
}

TEST(ConvertModel, NumbersBeyondF16AreRefusedAndNothingIsLeft) {
  Context ctx;
  TemporaryDirectory work;
  const std::vector<NamedTensor> parameters = parameters_of(ctx, tiny());
  parameters.back().tensor.data<float>()[3] = 70000;
  write_ours(work / "from", tiny(), parameters);
  const ModelDirectory from(work / "from");
  EXPECT_TRUE(says(complaint([&] { convert_model(from, work / "to", {.dtype = "F16"}); }),
                   "tensor \"lm_head.weight\" holds 70000, F16 ends at 65504"));
  EXPECT_EQ(entries_in(work.path()), 1u);
  parameters.back().tensor.data<float>()[3] = -std::numeric_limits<float>::infinity();  // there is one of F16
  write_ours(work / "from", tiny(), parameters);
  EXPECT_EQ(convert_model(ModelDirectory(work / "from"), work / "to", {.dtype = "F16"}), 1u);
}

// Models of others are halves or floats.
TEST(ConvertModel, DoublesBecomeFloats) {
  Context ctx;
  TemporaryDirectory work;
  std::vector<NamedTensor> parameters;
  for (const PackedParameter& p : packed_parameters(tiny()))
    parameters.push_back({p.name, tensor_of(ctx, random_normal<double>(element_count(p.shape), 1), p.shape)});
  write_ours(work / "from", tiny(), parameters);
  convert_model(ModelDirectory(work / "from"), work / "to", {.layout = Layout::mixtral});
  const SafetensorsFile file(work / "to/model.safetensors");
  for (const TensorEntry& entry : file.entries()) EXPECT_EQ(entry.dtype, "F32") << entry.name;
}

// A loader of others refuses a file that does not say so.
TEST(ConvertModel, FilesSayThatTheyAreForTorch) {
  Context ctx;
  TemporaryDirectory work;
  write_ours(work / "from", tiny(), parameters_of(ctx, tiny()));
  convert_model(ModelDirectory(work / "from"), work / "to", {.layout = Layout::mixtral});
  EXPECT_EQ(SafetensorsFile(work / "to/model.safetensors").metadata().at("format"), "pt");
}

TEST(ConvertModel, StoppedLeavesNothing) {
  Context ctx;
  TemporaryDirectory work;
  write_ours(work / "from", tiny(), parameters_of(ctx, tiny()));
  const ModelDirectory from(work / "from");
  EXPECT_EQ(convert_model(from, work / "to", {}, [](std::size_t done, std::size_t) { return done < 3; }), 0u);
  EXPECT_EQ(entries_in(work.path()), 1u);
}

TEST(ConvertModel, WritesOnlyWhereNothingIs) {
  Context ctx;
  TemporaryDirectory work;
  write_ours(work / "from", tiny(), parameters_of(ctx, tiny()));
  const ModelDirectory from(work / "from");
  fs::create_directories(work / "empty");
  EXPECT_EQ(convert_model(from, (work / "empty") / "", {}), 1u);
  fs::create_directories(work / "full" / "x");
  put(work / "file", "");
  for (const char* name : {"full", "file"}) {
    try {
      convert_model(from, work / name, {});
      ADD_FAILURE() << name;
    } catch (const UserError& error) {
      EXPECT_EQ(error.code(), ExitCode::usage) << error.what();  // before anything is written
    }
  }
  EXPECT_EQ(contents(work / "file"), "");
  EXPECT_EQ(entries_in(work.path()), 4u);
}

TEST(ConvertModel, TokenizerComesAlong) {
  Context ctx;
  TemporaryDirectory work;
  write_ours(work / "from", tiny(), parameters_of(ctx, tiny()));
  put(work / "from" / "tokenizer.json", "{}");
  put(work / "from" / "notes.txt", "no");
  convert_model(ModelDirectory(work / "from"), work / "to", {});
  EXPECT_EQ(contents(work / "to" / "tokenizer.json"), "{}");
  EXPECT_EQ(entries_in(work / "to"), 3u);
}

TEST(ConvertModel, TokenIdsAndOtherPrecisionsAreKept) {
  Context ctx;
  TemporaryDirectory work;
  const std::vector<NamedTensor> parameters = parameters_of(ctx, tiny());
  write_ours(work / "from", tiny(), parameters);
  ModelJson json = read_model_json(work / "from" / "config.json");
  json.carried = {{"eos_token_id", "[3,4]"}, {"pad_token_id", "0"}};
  put(work / "from" / "config.json", to_model_json(json));
  convert_model(ModelDirectory(work / "from"), work / "to", {.layout = Layout::mixtral});
  const std::string text = contents(work / "to" / "config.json");
  EXPECT_TRUE(says(text, "\"bos_token_id\": null"));
  EXPECT_TRUE(says(text, "\"pad_token_id\": 0"));
  EXPECT_EQ(read_model_json(work / "to" / "config.json").carried, json.carried);
}

std::string refusal(const LanguageModelConfig& c, Layout layout) {
  try {
    to_model_json({.model = c, .layout = layout});
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return "";
}

TEST(Layouts, RefuseWhatTheyCannotSay) {
  const struct {
    Layout layout;
    void (*change)(LanguageModelConfig&);
    const char* found;
  } cases[] = {
      {Layout::mixtral, [](LanguageModelConfig& c) { c.moe.experts = 0; },
       "layout mixtral: the model has 0 experts"},
      {Layout::mixtral, [](LanguageModelConfig& c) { c.qk_norm = true; }, "normalises queries and keys"},
      {Layout::mixtral, [](LanguageModelConfig& c) { c.moe.renormalise = false; }, "renormalise is false"},
      {Layout::mixtral, [](LanguageModelConfig& c) { c.moe.router = "switch"; }, "the router is \"switch\""},
      {Layout::mixtral, [](LanguageModelConfig& c) { c.moe.capacity_factor = 1.5; },
       "capacity_factor is 1.5"},
      {Layout::olmoe, [](LanguageModelConfig&) {}, "normalises no queries and keys"},
      {Layout::olmoe, [](LanguageModelConfig& c) { c.qk_norm = true, c.head_width = 4; }, "head_dim is 4"},
      {Layout::llama, [](LanguageModelConfig&) {}, "layout llama: the model has 2 experts"},
      {Layout::llama, [](LanguageModelConfig& c) { c.moe.experts = 0, c.qk_norm = true; },
       "normalises queries"},
  };
  for (const auto& c : cases) {
    LanguageModelConfig config = tiny();
    c.change(config);
    EXPECT_TRUE(says(refusal(config, c.layout), c.found));
    EXPECT_EQ(refusal(config, Layout::moe), "");
  }
}

TEST(Layouts, ReadBackWhatTheyHold) {
  LanguageModelConfig config = tiny();
  config.rope_theta = 1e6 / 3, config.norm_epsilon = 1e-5 / 3, config.tied_head = true;
  config.moe.balance_coefficient = 0.1 / 3;
  for (const Layout layout : kLayouts) {
    SCOPED_TRACE(name_of(layout));
    LanguageModelConfig c = config;
    c.qk_norm = layout == Layout::olmoe;
    c.moe.renormalise = layout != Layout::olmoe;
    if (layout == Layout::llama) c.moe.experts = 0;
    const ModelJson json =
        parse_model_json(to_model_json({.model = c, .layout = layout, .dtype = "float32"}), "x");
    EXPECT_EQ(json.layout, layout);
    EXPECT_EQ(json.dtype, layout == Layout::moe ? "" : "float32");
    if (layout == Layout::llama)
      c.moe.balance_coefficient = json.model.moe.balance_coefficient;  // has no key for it
    EXPECT_EQ(to_config_json(json.model), to_config_json(c));
  }
}

}  // namespace
}  // namespace moe
