#include "common/data/tokenizer.hpp"

#include <gtest/gtest.h>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

TEST(ByteTokenizer, EveryByteComesBack) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const ByteTokenizer bytes;
  const auto tokens = bytes.encode(all);
  ASSERT_EQ(tokens.size(), 256u);
  for (std::size_t i = 0; i < 256; ++i) EXPECT_EQ(tokens[i], i);
  EXPECT_EQ(bytes.decode(tokens), all);
  EXPECT_EQ(bytes.vocabulary(), 256);
}

TEST(ByteTokenizer, EmptyTextHasNoTokens) {
  EXPECT_TRUE(ByteTokenizer().encode("").empty());
  EXPECT_EQ(ByteTokenizer().decode({}), "");
}

TEST(ByteTokenizer, DecodeRefusesWhatIsNoByte) {
  const std::vector<Token> tokens = {65, 256};
  EXPECT_THROW(ByteTokenizer().decode(tokens), Error);
}

}  // namespace
}  // namespace moe
