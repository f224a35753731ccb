#include "common/io/safetensors.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "common/io/half.hpp"
#include "tests/io/support.hpp"
#include "tests/support/compare.hpp"

namespace moe {
namespace {

using namespace moe::testing;

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

// Written by the reference implementation (Python package safetensors 0.8.0): six tensors, one with no axes,
// one with no elements.
constexpr std::string_view kReference =
    "90010000000000007b225f5f6d657461646174615f5f223a7b226d616465223a22627920746865207265666572656e63"
    "65227d2c22646f75626c65223a7b226474797065223a22463634222c227368617065223a5b5d2c22646174615f6f6666"
    "73657473223a5b302c385d7d2c226e6f6e65223a7b226474797065223a22463332222c227368617065223a5b302c355d"
    "2c22646174615f6f666673657473223a5b382c385d7d2c2273696e676c65223a7b226474797065223a22463332222c22"
    "7368617065223a5b335d2c22646174615f6f666673657473223a5b382c32305d7d2c22636f756e74223a7b2264747970"
    "65223a22493332222c227368617065223a5b322c315d2c22646174615f6f666673657473223a5b32302c32385d7d2c22"
    "627261696e223a7b226474797065223a2242463136222c227368617065223a5b345d2c22646174615f6f666673657473"
    "223a5b32382c33365d7d2c2268616c66223a7b226474797065223a22463136222c227368617065223a5b322c345d2c22"
    "646174615f6f666673657473223a5b33362c35325d7d7d20182d4454fb2109400000803f000000c0cdcccc3df9ffffff"
    "ffffff7f803f20c0807f0100003c00c100040100ff7b007c00805535";

std::string raw(const Tensor& t) {
  return {reinterpret_cast<const char*>(t.raw()), t.bytes()};
}

TEST(Safetensors, ReadsAFileOfTheReferenceImplementation) {
  Context ctx;
  TemporaryDirectory directory;
  put(directory / "f", from_hex(kReference));
  const SafetensorsFile file(directory / "f");
  EXPECT_EQ(file.metadata(), (Metadata{{"made", "by the reference"}}));
  EXPECT_EQ(file.entries().size(), 6u);
  const Tensor half = Tensor::empty(ctx, DType::f32, {2, 4}), brain = Tensor::empty(ctx, DType::f32, {4});
  const Tensor single = Tensor::empty(ctx, DType::f32, {3}), pi = Tensor::empty(ctx, DType::f64, {});
  const Tensor count = Tensor::empty(ctx, DType::i32, {2, 1}), none = Tensor::empty(ctx, DType::f32, {0, 5});
  read_tensors(directory / "f", std::vector<NamedTensor>{{"half", half},
                                                         {"brain", brain},
                                                         {"single", single},
                                                         {"double", pi},
                                                         {"count", count},
                                                         {"none", none}});
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(
      close(values_of<float>(half), {1, -2.5f, 0x1p-14f, 0x1p-24f, 65504, inf, -0.f, 0.333251953125f}));
  EXPECT_TRUE(std::signbit(values_of<float>(half)[6]));
  EXPECT_TRUE(close(values_of<float>(brain), {1, -2.5f, inf, 0x1p-133f}));
  EXPECT_TRUE(close(values_of<float>(single), {1, -2, 0.1f}));
  EXPECT_EQ(scalar_of(pi), 3.141592653589793);
  EXPECT_TRUE(close(values_of<std::int32_t>(count), {-7, 2147483647}));
}

TEST(Safetensors, EveryHalfBecomesItsFloat) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31), fraction = static_cast<int>(bits & 1023);
    const double sign = bits & 0x8000 ? -1 : 1;
    const float found = from_f16(static_cast<std::uint16_t>(bits));
    if (exponent == 31 && fraction) {
      EXPECT_TRUE(std::isnan(found)) << bits;
      continue;
    }
    const double expected = exponent == 31 ? HUGE_VAL
                            : exponent     ? std::ldexp(1024 + fraction, exponent - 25)
                                           : std::ldexp(fraction, -24);
    ASSERT_EQ(found, sign * expected) << bits;
    ASSERT_EQ(std::signbit(found), (bits & 0x8000) != 0) << bits;
  }
}

TEST(Safetensors, RoundTripIsExactForAllTypesAndSizes) {
  Context ctx;
  TemporaryDirectory directory;
  for (const std::int64_t n : {0, 1, 31, 32, 33, 127, 129}) {
    std::vector<NamedTensor> out = {
        {"a", tensor_of(ctx, random_normal<float>(n * 3, 1), {n, 3})},
        {"b", tensor_of(ctx, random_normal<double>(n, 2), {n})},
        {"c", tensor_of(ctx, random_integers<std::int32_t>(n * 2, 1000, 3), {2, 1, n})},
        {"d", tensor_of(ctx, std::vector<float>{0.1f}, {})},
        {"e", Tensor::empty(ctx, DType::f64, {4, 0, 2})}};
    const Metadata metadata = {{"step", "12"}, {"text", "\"quotes\", \xc3\xa9 and \n"}};
    const FileSum sum = write_tensors(directory / "f", out, metadata);
    EXPECT_EQ(sum, sum_of_file(directory / "f"));
    std::vector<NamedTensor> in;
    for (const NamedTensor& t : out)
      in.push_back({t.name, Tensor::empty(ctx, t.tensor.dtype(), t.tensor.shape())});
    EXPECT_EQ(read_tensors(directory / "f", in), metadata);
    for (std::size_t i = 0; i < in.size(); ++i)
      EXPECT_EQ(raw(in[i].tensor), raw(out[i].tensor)) << n << in[i].name;
  }
}

TEST(Safetensors, FileOfNoTensorsIsAFile) {
  TemporaryDirectory directory;
  write_tensors(directory / "f", {}, {});
  EXPECT_EQ(contents(directory / "f"), from_hex("0800000000000000") + "{}      ");
  EXPECT_TRUE(read_tensors(directory / "f", {}).empty());
}

TEST(Safetensors, BytesAreAsTheFormatSays) {
  Context ctx;
  TemporaryDirectory directory;
  write_tensors(directory / "f",
                std::vector<NamedTensor>{{"x", tensor_of(ctx, std::vector<float>{1, -2}, {2})}});
  const std::string header = R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  EXPECT_EQ(header.size(), 54u);
  EXPECT_EQ(contents(directory / "f"),
            from_hex("3800000000000000") + header + "  " + from_hex("0000803f000000c0"));
}

TEST(Safetensors, EachTensorIsAlignedToItsElement) {
  Context ctx;
  TemporaryDirectory directory;
  for (const char* name : {"a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh"}) {
    write_tensors(directory / "f", std::vector<NamedTensor>{{name, Tensor::zeros(ctx, DType::f32, {3})},
                                                            {"wide", Tensor::zeros(ctx, DType::f64, {2})}});
    const SafetensorsFile file(directory / "f");
    std::uint64_t header = 0;
    std::memcpy(&header, contents(directory / "f").data(), 8);
    EXPECT_EQ((8 + header) % 8, 0u);
    EXPECT_EQ(file.find("wide")->begin, 0u);
    EXPECT_EQ(file.find(name)->begin, 16u);
  }
}

TEST(Safetensors, FloatsConvertBetweenWidths) {
  Context ctx;
  TemporaryDirectory directory;
  const std::vector<double> wide = random_normal<double>(70000, 5);  // more than one piece of the reader
  write_tensors(directory / "f", std::vector<NamedTensor>{{"x", tensor_of(ctx, wide, {70000})}});
  const Tensor narrow = Tensor::empty(ctx, DType::f32, {70000});
  SafetensorsFile(directory / "f").read("x", narrow);
  EXPECT_TRUE(close(values_of<float>(narrow), std::vector<float>(wide.begin(), wide.end())));
  write_tensors(directory / "g", std::vector<NamedTensor>{{"x", narrow}});
  const Tensor back = Tensor::empty(ctx, DType::f64, {70000});
  SafetensorsFile(directory / "g").read("x", back);
  const std::vector<float> floats = values_of<float>(narrow);
  EXPECT_TRUE(close(values_of<double>(back), std::vector<double>(floats.begin(), floats.end())));
}

TEST(Safetensors, ReadingIntoASliceTouchesNothingElse) {
  Context ctx;
  TemporaryDirectory directory;
  write_tensors(directory / "f",
                std::vector<NamedTensor>{{"x", tensor_of(ctx, std::vector<float>{1, 2}, {1, 2})}});
  const Tensor whole = Tensor::zeros(ctx, DType::f32, {3, 2});
  SafetensorsFile(directory / "f").read("x", whole.slice_rows(1, 2));
  EXPECT_TRUE(close(values_of<float>(whole), {0, 0, 1, 2, 0, 0}));
}

TEST(Safetensors, WrongShapeTypeOrNameIsNamed) {
  Context ctx;
  TemporaryDirectory directory;
  write_tensors(directory / "f", std::vector<NamedTensor>{{"x", Tensor::zeros(ctx, DType::f32, {2, 3})}});
  const SafetensorsFile file(directory / "f");
  EXPECT_TRUE(says(complaint([&] {
                     file.read("y", Tensor::zeros(ctx, DType::f32, {2, 3}));
                   }),
                   "lacks tensor \"y\""));
  EXPECT_TRUE(says(complaint([&] {
                     file.read("x", Tensor::zeros(ctx, DType::f32, {3, 2}));
                   }),
                   "tensor \"x\" has shape (2, 3), expected (3, 2)"));
  EXPECT_TRUE(says(complaint([&] {
                     file.read("x", Tensor::zeros(ctx, DType::i32, {2, 3}));
                   }),
                   "has dtype F32, which cannot be read as i32"));
}

TEST(Safetensors, MissingAndSurplusTensorsAreListedAndNothingIsRead) {
  Context ctx;
  TemporaryDirectory directory;
  write_tensors(directory / "f",
                std::vector<NamedTensor>{{"kept", tensor_of(ctx, std::vector<float>{5}, {1})},
                                         {"surplus", Tensor::zeros(ctx, DType::f32, {1})}});
  const Tensor kept = Tensor::zeros(ctx, DType::f32, {1});
  const std::string text = complaint([&] {
    read_tensors(directory / "f",
                 std::vector<NamedTensor>{{"kept", kept}, {"missing", Tensor::zeros(ctx, DType::f32, {1})}});
  });
  EXPECT_TRUE(says(text, "lacks 1 of 2 tensors: \"missing\""));
  EXPECT_TRUE(says(text, "has 1 that are not expected: \"surplus\""));
  EXPECT_EQ(scalar_of(kept), 0);
}

TEST(Safetensors, TwoTensorsOfOneNameAreAProgrammingError) {
  Context ctx;
  TemporaryDirectory directory;
  const Tensor x = Tensor::zeros(ctx, DType::f32, {1});
  EXPECT_THROW(write_tensors(directory / "f", std::vector<NamedTensor>{{"x", x}, {"x", x}}), Error);
  EXPECT_THROW(write_tensors(directory / "f", std::vector<NamedTensor>{{"__metadata__", x}}), Error);
  EXPECT_EQ(entries_in(directory.path()), 0u);
}

}  // namespace
}  // namespace moe
