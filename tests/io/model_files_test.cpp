#include "common/io/model_files.hpp"

#include <cstring>

#include "tests/io/support.hpp"
#include "tests/support/compare.hpp"

namespace moe {
namespace {

using namespace moe::testing;
namespace fs = std::filesystem;

// Tensors "a" (2), "b" (3), "c" (1) of F32, at most `most` bytes a file; element i of tensor t is 10t + i.
constexpr const char* kNames[] = {"a", "b", "c"};
constexpr std::int64_t kSizes[] = {2, 3, 1};

std::size_t write_three(const fs::path& directory, std::uint64_t most) {
  std::vector<PlannedTensor> planned;
  for (int t = 0; t < 3; ++t) planned.push_back({kNames[t], "F32", {kSizes[t]}});
  const BytesOf bytes_of = [](std::size_t t, std::vector<std::byte>& bytes) {
    std::vector<float> values;
    for (int i = 0; i < kSizes[t]; ++i) values.push_back(static_cast<float>(10 * t) + static_cast<float>(i));
    bytes.resize(values.size() * sizeof(float));
    std::memcpy(bytes.data(), values.data(), bytes.size());
  };
  return write_model_files(directory, planned, bytes_of, {most, {{"format", "pt"}}});
}

std::vector<NamedTensor> three(Context& ctx) {
  std::vector<NamedTensor> tensors;
  for (int t = 0; t < 3; ++t) tensors.push_back({kNames[t], Tensor::zeros(ctx, DType::f32, {kSizes[t]})});
  return tensors;
}

void expect_three(const fs::path& directory) {
  Context ctx;
  const std::vector<NamedTensor> tensors = three(ctx);
  ModelFiles(directory).read(tensors);
  EXPECT_EQ(values_of<float>(tensors[0].tensor), (std::vector<float>{0, 1}));
  EXPECT_EQ(values_of<float>(tensors[1].tensor), (std::vector<float>{10, 11, 12}));
  EXPECT_EQ(values_of<float>(tensors[2].tensor), (std::vector<float>{20}));
}

TEST(ModelFiles, AreCutWhereATensorDoesNotFitAnyMore) {
  const struct {
    std::uint64_t most;  // bytes
    std::size_t files;
  } cases[] = {{1, 3}, {12, 3}, {16, 2}, {20, 2}, {23, 2}, {24, 1}, {1000, 1}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.most);
    TemporaryDirectory directory;
    EXPECT_EQ(write_three(directory.path(), c.most), c.files);
    EXPECT_EQ(entries_in(directory.path()), c.files == 1 ? 1 : c.files + 1);
    EXPECT_EQ(ModelFiles(directory.path()).files(), c.files);
    expect_three(directory.path());
  }
}

TEST(ModelFiles, IndexIsAsTransformersWritesIt) {
  TemporaryDirectory directory;
  write_three(directory.path(), 20);
  EXPECT_EQ(contents(directory / kShardIndex), R"({
  "metadata": {
    "total_size": 24
  },
  "weight_map": {
    "a": "model-00001-of-00002.safetensors",
    "b": "model-00001-of-00002.safetensors",
    "c": "model-00002-of-00002.safetensors"
  }
}
)");
}

TEST(ModelFiles, OfNoTensorsAreOneFile) {
  TemporaryDirectory directory;
  EXPECT_EQ(write_model_files(directory.path(), {}, {}, {}), 1u);
  ModelFiles(directory.path()).check({});
}

TEST(ModelFiles, TheSingleFileCountsWhereAnIndexStandsToo) {
  TemporaryDirectory directory;
  write_three(directory.path(), 1000);
  put(directory / kShardIndex, "{");
  expect_three(directory.path());
}

// What opening a directory says after `spoil` has changed two good shards: a and b, then c.
template <class Spoil>
std::string complaint_after(Spoil&& spoil) {
  TemporaryDirectory directory;
  write_three(directory.path(), 20);
  spoil(directory);
  return complaint([&] { expect_three(directory.path()); });
}

void replace(const fs::path& path, const std::string& from, const std::string& to) {
  std::string text = contents(path);
  const auto at = text.find(from);
  ASSERT_NE(at, text.npos) << from;
  put(path, text.replace(at, from.size(), to));
}

constexpr const char *kFirst = "model-00001-of-00002.safetensors",
                     *kSecond = "model-00002-of-00002.safetensors";

TEST(ModelFiles, MissingShardIsNamed) {
  const std::string text = complaint_after([](auto& d) { fs::remove(d / kSecond); });
  EXPECT_TRUE(says(text, concat(kSecond, ": is missing, ", kShardIndex, " lists it")));
}

TEST(ModelFiles, TensorInTwoShardsIsRefused) {
  const std::string text = complaint_after(
      [](auto& d) { fs::copy_file(d / kFirst, d / kSecond, fs::copy_options::overwrite_existing); });
  EXPECT_TRUE(says(text, "has tensor \"a\", and so has "));
}

TEST(ModelFiles, TensorThatNoShardHoldsIsRefused) {
  EXPECT_TRUE(says(complaint_after([](auto& d) {
                     replace(d / kShardIndex, "\"c\": ", concat("\"d\": \"", kSecond, "\", \"c\": "));
                   }),
                   concat(kSecond, ": lacks tensor \"d\", which ", kShardIndex, " puts there")));
}

TEST(ModelFiles, TensorThatTheIndexDoesNotListIsRefused) {
  EXPECT_TRUE(says(
      complaint_after([](auto& d) { replace(d / kShardIndex, concat("\"a\": \"", kFirst, "\",\n"), ""); }),
      concat(kFirst, ": has tensor \"a\", which ", kShardIndex, " does not list")));
}

TEST(ModelFiles, TensorInAnotherShardThanTheIndexSaysIsRefused) {
  EXPECT_TRUE(says(complaint_after([](auto& d) {
                     replace(d / kShardIndex, concat("\"a\": \"", kFirst), concat("\"a\": \"", kSecond));
                   }),
                   concat("has tensor \"a\", which ", kShardIndex, " puts in ", kSecond)));
}

TEST(ModelFiles, WhatIsExpectedAndNotThereIsNamedAndBack) {
  TemporaryDirectory directory;
  write_three(directory.path(), 20);
  Context ctx;
  std::vector<NamedTensor> tensors = three(ctx);
  tensors[1].name = "x";
  const std::string names = complaint([&] { ModelFiles(directory.path()).read(tensors); });
  EXPECT_TRUE(
      says(names, concat(kShardIndex, ": lacks 1 of 3 tensors: \"x\"; has 1 that are not expected: \"b\"")));
  tensors = three(ctx);
  tensors[2].tensor = Tensor::zeros(ctx, DType::f32, {1, 1});
  const std::string shape = complaint([&] { ModelFiles(directory.path()).read(tensors); });
  EXPECT_TRUE(says(shape, concat(kSecond, ": tensor \"c\" has shape (1), expected (1, 1)")));
  for (const NamedTensor& t : tensors)
    for (const float x : values_of<float>(t.tensor)) ASSERT_EQ(x, 0) << "read from refused files";
}

TEST(ModelFiles, DirectoryWithoutAModelSaysWhatToDo) {
  TemporaryDirectory directory;
  EXPECT_TRUE(says(complaint([&] { ModelFiles{directory.path()}; }),
                   concat("has neither ", kModelFile, " nor ", kShardIndex)));
  put(directory / "pytorch_model.bin", "x");
  EXPECT_TRUE(says(complaint([&] { ModelFiles{directory.path()}; }), "save_pretrained"));
}

TEST(ShardIndex, EachFaultIsNamed) {
  const struct {
    const char *text, *found;
  } cases[] = {
      {"", "is no JSON object"},
      {"[]", "is no JSON object"},
      {"7", "is no JSON object"},
      {"{", "is no JSON object"},
      {"{}", "has no \"weight_map\""},
      {R"({"metadata":{"weight_map":{"a":"b.safetensors"}}})", "has no \"weight_map\""},
      {R"({"weight_map":[]})", "has an array where \"weight_map\" should be an object"},
      {R"({"weight_map":"x"})", "has a string where \"weight_map\" should be an object"},
      {R"({"weight_map":null})", "has null where \"weight_map\" should be an object"},
      {R"({"weight_map":{},"weight_map":{}})", "has \"weight_map\" twice"},
      {R"({"weight_map":{"a":1}})", "has a number where the file of tensor \"a\" belongs"},
      {R"({"weight_map":{"a":{"b":"c.safetensors"}}})",
       "has an object where the file of tensor \"a\" belongs"},
      {R"({"weight_map":{"a":["b.safetensors"]}})", "has an array where the file of tensor \"a\" belongs"},
      {R"({"weight_map":{"a":"b.safetensors","a":"b.safetensors"}})", "names tensor \"a\" twice"},
      {R"({"weight_map":{"a":"../b.safetensors"}})", "puts tensor \"a\" in \"../b.safetensors\""},
      {R"({"weight_map":{"a":"b.bin"}})", "puts tensor \"a\" in \"b.bin\""},
      {R"({"weight_map":{"a":""}})", "puts tensor \"a\" in \"\""},
  };
  for (const auto& c : cases)
    EXPECT_TRUE(says(complaint([&] { parse_shard_index(c.text, "index"); }), concat("index: ", c.found)))
        << c.text;
  EXPECT_TRUE(
      says(complaint([] { parse_shard_index(std::string(1 << 20, '['), "index"); }), "is no JSON object"));
  EXPECT_TRUE(
      says(complaint([] { parse_shard_index("{\"a\":" + std::string(1 << 20, '['), "index"); }), "index: "));
  EXPECT_TRUE(
      says(complaint([] { parse_shard_index(std::string("{}\0{}", 5), "index"); }), "is no JSON object"));
}

TEST(ShardIndex, OtherMembersAreSkippedAndNamesReadBack) {
  const ShardMap files = {{"a", "x.safetensors"}, {"b", "y.safetensors"}};
  EXPECT_EQ(parse_shard_index(format_shard_index(files, 7), "index"), files);
  EXPECT_EQ(parse_shard_index(
                R"({"metadata":{"a":[{"b":1}],"c":null,"d":1.5,"e":-1,"f":true},"weight_map":{}})", "index"),
            ShardMap{});
}

}  // namespace
}  // namespace moe
