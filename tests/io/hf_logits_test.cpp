// Models that PyTorch and transformers made and saved, and the logits that they computed: hf_reference.py. The same from
// our model, which shares no code with them. MOE_HF_VECTORS in the environment names other vectors.
#include <algorithm>
#include <cstdlib>
#include <map>

#include "common/io/hf_names.hpp"
#include "common/io/model_directory.hpp"
#include "common/train/trainer.hpp"
#include "tests/io/support.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

namespace moe {
namespace {

using namespace moe::testing;
namespace fs = std::filesystem;

// Two implementations in f32 with sums in other orders. A model that lacks a part is off by 0.1 and more: see below.
constexpr Tolerance kTolerance{1e-4, 0};

std::vector<fs::path> vectors() {
  const char* const elsewhere = std::getenv("MOE_HF_VECTORS");
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(elsewhere ? elsewhere : MOE_HF_VECTORS))
    found.push_back(entry);
  return found;
}

struct Reference {
  std::int64_t B, T;
  std::vector<std::int32_t> ids;  // (B·T)
  std::vector<float> logits;      // (B·T, V)
};

Reference reference_of(const fs::path& directory) {
  Context ctx;
  const SafetensorsFile file(directory / "expected.safetensors");
  const Tensor ids = Tensor::empty(ctx, DType::i32, file.find("ids")->shape),
               logits = Tensor::empty(ctx, DType::f32, file.find("logits")->shape);
  file.read("ids", ids);
  file.read("logits", logits);
  return {ids.size(0), ids.size(1), values_of<std::int32_t>(ids), values_of<float>(logits)};
}

std::vector<float> logits_of(Context& ctx, LanguageModel& model, const Reference& r) {
  std::vector<std::int32_t> position, sequence;
  for (std::int32_t n = 0; n < r.B * r.T; ++n) {
    position.push_back(n % static_cast<std::int32_t>(r.T));
    sequence.push_back(n / static_cast<std::int32_t>(r.T));
  }
  TokenInfo tokens;
  tokens.sequences = r.B;
  tokens.length = r.T;
  tokens.id = tensor_of(ctx, r.ids, {r.B * r.T});
  tokens.position = tensor_of(ctx, position, {r.B * r.T});
  tokens.sequence = tensor_of(ctx, sequence, {r.B * r.T});
  ForwardContext f{.ctx = ctx, .tokens = &tokens};
  return values_of<float>(model.forward(f).tensor);
}

std::vector<float> logits_of(const fs::path& directory, const Reference& r, int threads = 2) {
  Context ctx(threads);
  return logits_of(ctx, *load_model(ctx, directory), r);
}

TEST(HfLogits, AreThoseOfTheReferenceImplementation) {
  ASSERT_FALSE(vectors().empty());
  for (const fs::path& directory : vectors()) {
    const Reference r = reference_of(directory);
    EXPECT_TRUE(close(logits_of(directory, r), r.logits, kTolerance)) << directory;
    EXPECT_GT(*std::max_element(r.logits.begin(), r.logits.end()), 1) << "too small to show a fault";
  }
}

TEST(HfVectors, AreOneOfEachLayoutWholeAndInShards) {
  std::map<Layout, int> layouts;
  std::size_t most_files = 0;
  for (const auto& entry : fs::directory_iterator(MOE_HF_VECTORS)) {
    const ModelDirectory directory(entry.path());
    ++layouts[directory.json().layout];
    most_files = std::max(most_files, directory.files().files());
  }
  EXPECT_EQ(layouts, (std::map<Layout, int>{{Layout::mixtral, 2}, {Layout::olmoe, 2}, {Layout::llama, 1}}));
  EXPECT_EQ(most_files, 4u);
}

// Every part of the configuration matters: with one field wrong the logits leave the tolerance.
TEST(HfLogits, NoticeAWrongField) {
  const fs::path olmoe = fs::path(MOE_HF_VECTORS) / "olmoe_sharded",
                 mixtral = fs::path(MOE_HF_VECTORS) / "mixtral_sharded";
  const struct {
    fs::path from;
    std::string what;
    void (*spoil)(LanguageModelConfig&);
  } cases[] = {
      {mixtral, "theta", [](LanguageModelConfig& c) { c.rope_theta = 1e6; }},
      {mixtral, "weights", [](LanguageModelConfig& c) { c.moe.renormalise = false; }},
      {mixtral, "experts a token", [](LanguageModelConfig& c) { c.moe.top_k = 1; }},
      {olmoe, "weights", [](LanguageModelConfig& c) { c.moe.renormalise = true; }},
      {olmoe, "epsilon", [](LanguageModelConfig& c) { c.norm_epsilon = 1e-5; }},
  };
  for (const auto& c : cases) {
    const Reference r = reference_of(c.from);
    const ModelDirectory directory(c.from);
    LanguageModelConfig config = directory.json().model;
    c.spoil(config);
    Context ctx(2);
    LanguageModel model(ctx, config);
    std::vector<NamedTensor> parameters;
    model.visit([&](const std::string& name, Parameter& p) { parameters.push_back({name, p.value}); });
    directory.read(parameters);
    EXPECT_FALSE(close(logits_of(ctx, model, r), r.logits, {1e-3, 0})) << c.what;
  }
}

TEST(HfLogits, AreTheSameOnEveryDevice) {
  const fs::path directory = fs::path(MOE_HF_VECTORS) / "olmoe_sharded";
  const Reference r = reference_of(directory);
  each_device([&](Context& ctx) {
    EXPECT_TRUE(close(logits_of(ctx, *load_model(ctx, directory), r), r.logits, kTolerance));
  });
}

std::string all_data(const fs::path& directory) {
  const ModelDirectory model(directory);
  std::string bytes;
  Context ctx;
  for (const HfSlice& slice : hf_tensors(model.json().model, model.json().layout)) {
    const Tensor t = Tensor::empty(ctx, DType::f32, slice.shape);
    model.files().read(slice.name, t);
    bytes += slice.name + model.files().entry(slice.name).dtype;
    bytes.append(reinterpret_cast<const char*>(t.raw()), t.bytes());
  }
  return bytes;
}

// There, to our layout, and back: every number and every field of the configuration as it was.
TEST(ConvertModel, ThroughOurLayoutAndBackIsExact) {
  for (const auto& entry : fs::directory_iterator(MOE_HF_VECTORS)) {
    SCOPED_TRACE(entry.path());
    TemporaryDirectory work;
    const ModelDirectory from(entry.path());
    const Reference r = reference_of(entry.path());
    convert_model(from, work / "ours", {.layout = Layout::moe, .shard_bytes = 3000});
    const ModelDirectory ours(work / "ours");
    EXPECT_EQ(ours.json().layout, Layout::moe);
    EXPECT_GT(ours.files().files(), 3u);
    EXPECT_EQ(logits_of(work / "ours", r), logits_of(entry.path(), r));
    convert_model(ours, work / "back", {.layout = from.json().layout});
    const ModelDirectory back(work / "back");
    EXPECT_EQ(back.json().layout, from.json().layout);
    EXPECT_EQ(to_model_json(back.json()), to_model_json(from.json()));
    EXPECT_EQ(back.files().files(), 1u);
    EXPECT_EQ(all_data(work / "back"), all_data(entry.path()));
  }
}

}  // namespace
}  // namespace moe
