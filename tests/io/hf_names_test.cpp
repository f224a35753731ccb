#include "common/io/hf_names.hpp"

#include <numeric>

#include "common/io/config_json.hpp"
#include "tests/io/support.hpp"
#include "tests/support/compare.hpp"

namespace moe {
namespace {

using namespace moe::testing;
using Slices = std::vector<HfSlice>;

// V=11 D=4 L=2 H=2 G=1 W=6 F=3, all different, so that no two axes can be mistaken for each other.
LanguageModelConfig small(std::int64_t experts, bool tied = false) {
  LanguageModelConfig c;
  c.vocabulary = 11, c.width = 4, c.layers = 2, c.heads = 2, c.kv_heads = 1, c.head_width = 6,
  c.ffn_width = 3;
  c.tied_head = tied;
  c.moe.experts = experts;
  return c;
}

// Element i of the whole model holds i: each number says where it came from.
std::vector<NamedTensor> numbered(Context& ctx, const LanguageModelConfig& c) {
  std::vector<NamedTensor> list;
  float next = 0;
  for (const PackedParameter& p : packed_parameters(c)) {
    std::vector<float> values(static_cast<std::size_t>(element_count(p.shape)));
    std::iota(values.begin(), values.end(), next);
    next += static_cast<float>(values.size());
    list.push_back({p.name, tensor_of(ctx, values, p.shape)});
  }
  return list;
}

std::vector<NamedTensor> zeros_like(Context& ctx, const std::vector<NamedTensor>& tensors) {
  std::vector<NamedTensor> list;
  for (const NamedTensor& t : tensors)
    list.push_back({t.name, Tensor::zeros(ctx, t.tensor.dtype(), t.tensor.shape())});
  return list;
}

TEST(HfNames, AttentionIsCutIntoQueryKeyValue) {
  EXPECT_EQ(hf_slices(small(0), "model.layers.1.self_attn.qkv_proj.weight"),
            (Slices{{"model.layers.1.self_attn.q_proj.weight", 0, 48, {12, 4}},
                    {"model.layers.1.self_attn.k_proj.weight", 48, 24, {6, 4}},
                    {"model.layers.1.self_attn.v_proj.weight", 72, 24, {6, 4}}}));
}

TEST(HfNames, DenseFfnLosesItsExpertAxis) {
  EXPECT_EQ(hf_slices(small(0), "model.layers.0.mlp.gate_up.weight"),
            (Slices{{"model.layers.0.mlp.gate_proj.weight", 0, 12, {3, 4}},
                    {"model.layers.0.mlp.up_proj.weight", 12, 12, {3, 4}}}));
  EXPECT_EQ(hf_slices(small(0), "model.layers.0.mlp.down.weight"),
            (Slices{{"model.layers.0.mlp.down_proj.weight", 0, 12, {4, 3}}}));
}

TEST(HfNames, ExpertsAreCutOneByOneGateBeforeUp) {
  const std::string prefix = "model.layers.1.block_sparse_moe.experts.";
  EXPECT_EQ(hf_slices(small(2), prefix + "gate_up.weight"),
            (Slices{{prefix + "0.w1.weight", 0, 12, {3, 4}},
                    {prefix + "0.w3.weight", 12, 12, {3, 4}},
                    {prefix + "1.w1.weight", 24, 12, {3, 4}},
                    {prefix + "1.w3.weight", 36, 12, {3, 4}}}));
  EXPECT_EQ(hf_slices(small(2), prefix + "down.weight"),
            (Slices{{prefix + "0.w2.weight", 0, 12, {4, 3}}, {prefix + "1.w2.weight", 12, 12, {4, 3}}}));
}

TEST(HfNames, OthersKeepNameAndShape) {
  const struct {
    const char* name;
    Shape shape;
  } cases[] = {{"model.embed_tokens.weight", {11, 4}},
               {"model.layers.0.input_layernorm.weight", {4}},
               {"model.layers.0.self_attn.o_proj.weight", {4, 12}},
               {"model.layers.1.post_attention_layernorm.weight", {4}},
               {"model.layers.1.block_sparse_moe.gate.weight", {5, 4}},
               {"model.norm.weight", {4}},
               {"lm_head.weight", {11, 4}}};
  for (const auto& c : cases)
    EXPECT_EQ(hf_slices(small(5), c.name), (Slices{{c.name, 0, element_count(c.shape), c.shape}}));
}

TEST(HfNames, NamesOfAnotherModelAreAProgrammingError) {
  for (const char* name :
       {"", "model", "model.layers.", "model.layers.2.input_layernorm.weight",
        "model.layers.x.input_layernorm.weight", "model.layers.-1.input_layernorm.weight", "model.layers.0",
        "model.layers.0.", "model.layers.0.mlp.gate_up.weight", "model.layers.0.self_attn.q_proj.weight",
        "model.layers.99999999999999999999.input_layernorm.weight"})
    EXPECT_THROW(hf_slices(small(2), name), Error) << name;
  EXPECT_THROW(hf_slices(small(0), "model.layers.0.block_sparse_moe.gate.weight"), Error);
  EXPECT_THROW(hf_slices(small(2, true), "lm_head.weight"), Error);
}

TEST(HfNames, SlicesCoverEveryParameterWithoutGaps) {
  for (const std::int64_t experts : {0, 1, 3, 33}) {
    for (const PackedParameter& p : packed_parameters(small(experts))) {
      std::int64_t next = 0;
      for (const HfSlice& slice : hf_slices(small(experts), p.name)) {
        EXPECT_EQ(slice.first, next) << slice.name;
        EXPECT_EQ(slice.count, element_count(slice.shape)) << slice.name;
        next += slice.count;
      }
      EXPECT_EQ(next, element_count(p.shape)) << p.name;
    }
  }
}

TEST(HfNames, CountOfParametersAgreesWithTheConfiguration) {
  for (const std::int64_t experts : {0, 1, 33}) {
    for (const bool tied : {false, true}) {
      std::int64_t n = 0;
      for (const PackedParameter& p : packed_parameters(small(experts, tied))) n += element_count(p.shape);
      EXPECT_EQ(static_cast<double>(n), parameter_count(small(experts, tied)));
    }
  }
}

TEST(ModelFile, RoundTripIsExact) {
  Context ctx;
  TemporaryDirectory directory;
  for (const std::int64_t experts : {0, 1, 3}) {
    for (const bool tied : {false, true}) {
      const LanguageModelConfig c = small(experts, tied);
      const std::vector<NamedTensor> out = numbered(ctx, c), in = zeros_like(ctx, out);
      const FileSum sum = write_model(directory / "m", c, out, {{"step", "9"}});
      EXPECT_EQ(sum, sum_of_file(directory / "m"));
      EXPECT_EQ(read_model(directory / "m", c, in), (Metadata{{"format", "pt"}, {"step", "9"}}));
      for (std::size_t i = 0; i < in.size(); ++i)
        EXPECT_TRUE(close(values_of<float>(in[i].tensor), values_of<float>(out[i].tensor))) << in[i].name;
      EXPECT_EQ(SafetensorsFile(directory / "m").find("lm_head.weight") == nullptr, tied);
    }
  }
}

TEST(ModelFile, HoldsTheirNamesWithOurNumbers) {
  Context ctx;
  TemporaryDirectory directory;
  const std::vector<NamedTensor> model = numbered(ctx, small(2));
  write_model(directory / "m", small(2), model);
  const SafetensorsFile file(directory / "m");
  EXPECT_EQ(file.entries().size(), 3u + 2 * (3 + 4 + 2 * 3));
  EXPECT_EQ(file.find("model.layers.0.self_attn.qkv_proj.weight"), nullptr);
  // Before layer 0's experts: embedding 44, norm 4, qkv 96, o 48, norm 4, gate 8 = 204; w3 of expert 1 starts
  // at 36.
  const Tensor w3 = Tensor::empty(ctx, DType::f32, {3, 4});
  file.read("model.layers.0.block_sparse_moe.experts.1.w3.weight", w3);
  std::vector<float> expected(12);
  std::iota(expected.begin(), expected.end(), 204.f + 36.f);
  EXPECT_TRUE(close(values_of<float>(w3), expected));
  const Tensor k = Tensor::empty(ctx, DType::f32, {6, 4});
  file.read("model.layers.0.self_attn.k_proj.weight", k);
  EXPECT_EQ(values_of<float>(k)[0], 48 + 48);
}

TEST(ModelFile, OfAnotherConfigurationIsRefusedByName) {
  Context ctx;
  TemporaryDirectory directory;
  const std::vector<NamedTensor> two = numbered(ctx, small(2)),
                                 three = zeros_like(ctx, numbered(ctx, small(3)));
  write_model(directory / "m", small(2), two);
  EXPECT_TRUE(says(complaint([&] { read_model(directory / "m", small(3), three); }),
                   "lacks 6 of 35 tensors: \"model.layers.0.block_sparse_moe.experts.2.w1.weight\""));
  write_model(directory / "m", small(3), three);
  EXPECT_TRUE(
      says(complaint([&] { read_model(directory / "m", small(2), two); }), "has 6 that are not expected"));
  LanguageModelConfig wide = small(2);
  wide.ffn_width = 5;
  write_model(directory / "m", small(2), two);
  const std::vector<NamedTensor> into = zeros_like(ctx, numbered(ctx, wide));
  EXPECT_TRUE(says(
      complaint([&] { read_model(directory / "m", wide, into); }),
      "tensor \"model.layers.0.block_sparse_moe.experts.0.w1.weight\" has shape (3, 4), expected (5, 4)"));
  for (const NamedTensor& t : into)
    for (const float x : values_of<float>(t.tensor))
      ASSERT_EQ(x, 0) << "a refused file was read into " << t.name;
}

TEST(ModelFile, IncompleteListsAreAProgrammingError) {
  Context ctx;
  TemporaryDirectory directory;
  const std::vector<NamedTensor> good = numbered(ctx, small(2));
  std::vector<NamedTensor> bad = good;
  bad.pop_back();
  EXPECT_THROW(write_model(directory / "m", small(2), bad), Error);
  bad = good;
  bad.push_back({"more", good[0].tensor});
  EXPECT_THROW(write_model(directory / "m", small(2), bad), Error);
  bad = good;
  bad.push_back(good[0]);
  EXPECT_THROW(write_model(directory / "m", small(2), bad), Error);
  bad = good;
  bad[0].tensor = good[0].tensor.reshape({4, 11});
  EXPECT_THROW(write_model(directory / "m", small(2), bad), Error);
  EXPECT_EQ(entries_in(directory.path()), 0u);
}

}  // namespace
}  // namespace moe
