// Every way in which a safetensors file can be wrong, by hand; then cuts and flips by the thousand.
#include <fstream>

#include "common/io/safetensors.hpp"
#include "tests/io/support.hpp"
#include "tests/support/compare.hpp"

namespace moe {
namespace {

using namespace moe::testing;

std::string little_endian(std::uint64_t n) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(n >> 8 * i & 255);
  return bytes;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return little_endian(header.size()) + header + std::string(data_bytes, '\1');
}

std::string complaint_about(const std::string& bytes) {
  TemporaryDirectory directory;
  put(directory / "bad", bytes);
  const std::string text = complaint([&] { SafetensorsFile file(directory / "bad"); });
  EXPECT_TRUE(text.empty() || text.starts_with((directory / "bad").string())) << "not named: " << text;
  return text;
}

struct Fault {
  const char* header;
  std::size_t data_bytes;
  const char* complaint;  // nullptr: none, the file is good
};

constexpr Fault kFaults[] = {
    // Good ones first: what the faults below differ from.
    {R"({})", 0, nullptr},
    {R"({}    )", 0, nullptr},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8, nullptr},
    {R"({"a":{"data_offsets":[8,16],"shape":[2],"dtype":"F32"},"b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})",
     16, nullptr},
    {R"({"__metadata__":{"k":"v"},"a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}})", 2, nullptr},
    {R"({"a":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}})", 0, nullptr},
    // Not JSON.
    {"", 0, "does not begin with {"},
    {" {}", 0, "does not begin with {"},
    {"\xef\xbb\xbf{}", 0, "does not begin with {"},
    {"[]", 0, "does not begin with {"},
    {"{", 0, "no JSON"},
    {"{} x", 0, "no JSON"},
    {R"({"a)", 0, "no JSON"},
    {"{\"\xff\":{}}", 0, "no JSON"},
    {R"({"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}})", 8, "no JSON"},
    // Other JSON.
    {R"({"a":1})", 0, "has a number where an object belongs"},
    {R"({"a":null})", 0, "has null where an object belongs"},
    {R"({"a":true})", 0, "has a boolean where an object belongs"},
    {R"({"a":[[[[]]]]})", 0, "has an array where an object belongs"},
    {R"({"a":"x"})", 0, "has a string where an object belongs"},
    {R"({"__metadata__":{"k":1}})", 0, "has a number where a string belongs"},
    {R"({"__metadata__":[]})", 0, "has an array where an object belongs"},
    {R"({"__metadata__":{"k":"v","k":"w"}})", 0, "metadata key \"k\" twice"},
    {R"({"__metadata__":{},"__metadata__":{}})", 0, "\"__metadata__\" twice"},
    // Fields.
    {R"({"a":{"shape":[2],"data_offsets":[0,8]}})", 8, "tensor \"a\" lacks dtype"},
    {R"({"a":{"dtype":"F32","data_offsets":[0,8]}})", 8, "tensor \"a\" lacks shape"},
    {R"({"a":{"dtype":"F32","shape":[2]}})", 8, "tensor \"a\" lacks data_offsets"},
    {R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8, "field \"dtype\" twice"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}})", 8, "unknown field \"more\""},
    {R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}})", 8, "unknown dtype \"F31\""},
    {R"({"a":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}})", 8, "unknown dtype \"f32\""},
    {R"({"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})", 8, "a number where a string belongs"},
    // Shapes.
    {R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", 8, "a number where an array belongs"},
    {R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8, "the negative number -2 where"},
    {R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", 8, "the number \"2.0\" where"},
    {R"({"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}})", 8, "a string where an integer"},
    {R"({"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})", 8, "an array where an integer"},
    {R"({"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}})", 8,
     "axis of 9223372036854775808"},
    {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0, "overflows"},
    {R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})", 0, "overflows"},
    {R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})",
     1, "more than 32 axes"},
    // Offsets.
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8]}})", 8, "1 data_offsets, expected 2"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[]}})", 8, "0 data_offsets, expected 2"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})", 8, "more than two"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8, "begins at 8, behind its end 0"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,7]}})", 8, "7 bytes for F32 (2), expected 8"},
    {R"({"a":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}})", 8, "8 bytes for F64 (2), expected 16"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 7, "ends at 8, but the file has 7"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 9,
     "has 9 bytes of data, the header describes 8"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12, "begins at 4, expected 0 (a hole"},
    {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[18446744073709551608,18446744073709551615]}})", 8,
     "7 bytes"},
    {R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[4,12]}})",
     12, "overlaps"},
    {R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})",
     8, "overlaps"},
    {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
     3, "a hole"},
    {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
     2, "tensor \"a\" twice"},
};

TEST(SafetensorsFaults, EachIsNamed) {
  for (const Fault& fault : kFaults) {
    const std::string text = complaint_about(file_of(fault.header, fault.data_bytes));
    if (fault.complaint) {
      EXPECT_TRUE(says(text, fault.complaint)) << fault.header;
    } else {
      EXPECT_EQ(text, "") << fault.header;
    }
  }
}

TEST(SafetensorsFaults, ZeroByteDoesNotEndTheHeader) {
  EXPECT_TRUE(says(complaint_about(file_of(std::string("{}\0{}", 5), 0)), "has a zero byte at 2"));
}

TEST(SafetensorsFaults, HeaderLengthMustFitTheFile) {
  EXPECT_TRUE(says(complaint_about(""), "has 0 bytes"));
  EXPECT_TRUE(says(complaint_about("1234567"), "has 7 bytes"));
  EXPECT_TRUE(says(complaint_about(little_endian(3) + "{}"), "header of 3 bytes in a file of 10"));
  EXPECT_TRUE(says(complaint_about(little_endian(~0ull) + "{}"), "at most 100000000"));
  EXPECT_TRUE(says(complaint_about(little_endian(100'000'001) + "{}"), "at most 100000000"));
  EXPECT_TRUE(
      says(complaint_about(little_endian(100'000'000) + "{}"), "header of 100000000 bytes in a file of 10"));
}

TEST(SafetensorsFaults, DeepNestingIsRefusedAtTheFirstBracket) {
  EXPECT_TRUE(
      says(complaint_about(file_of(R"({"a":)" + std::string(1 << 20, '['), 0)), "has an array where"));
  EXPECT_TRUE(says(complaint_about(file_of(R"({"a":{"dtype":)" + std::string(1 << 20, '{'), 0)),
                   "has an object where"));
}

std::string small_file(const TemporaryDirectory& directory) {
  Context ctx;
  write_tensors(directory / "good",
                std::vector<NamedTensor>{{"a", Tensor::zeros(ctx, DType::f32, {3})},
                                         {"b", Tensor::zeros(ctx, DType::f64, {2, 1})}},
                {{"k", "v"}});
  return contents(directory / "good");
}

TEST(SafetensorsFaults, EveryTruncationIsRefused) {
  TemporaryDirectory directory;
  const std::string good = small_file(directory);
  EXPECT_EQ(complaint_about(good), "");
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_NE(complaint_about(good.substr(0, n)), "") << n;
  EXPECT_NE(complaint_about(good + '\0'), "");
}

// A flip may give another good header (a name, the data); it must never do anything but that or a UserError.
TEST(SafetensorsFaults, AnyFlippedBitIsReadOrRefused) {
  Context ctx;
  TemporaryDirectory directory;
  const std::string good = small_file(directory);
  int refused = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    put(directory / "bad", bytes);
    refused += !complaint([&] {
                  const SafetensorsFile file(directory / "bad");
                  const Tensor a = Tensor::empty(ctx, DType::f32, {3});
                  file.read("a", a);
                }).empty();
  }
  EXPECT_GT(refused, 800);
}

TEST(SafetensorsFaults, RandomBytesBehindABraceAreReadOrRefused) {
  const std::string alphabet = "{}[]\":,0123456789-.eE \\untrfaldypshF32dataofs_";
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    std::string header = "{";
    for (std::uint64_t i = 0; i < 60; ++i) header += alphabet[philox({.seed = seed}, i)[0] % alphabet.size()];
    EXPECT_NO_THROW(complaint([&] { parse_safetensors_header(header, 8, "random"); })) << header;
  }
}

}  // namespace
}  // namespace moe
