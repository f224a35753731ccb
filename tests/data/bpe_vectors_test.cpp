// Against Hugging Face's tokenizers 0.23.3: tests/data/make_bpe_vectors.py printed the merges and the ids.
#include <gtest/gtest.h>

#include "common/data/bpe_train.hpp"

namespace moe {
namespace {

BpeModel learned() {
  const std::string_view text =
      "low lower lowest; the then there they're. Größe größer, 東京 東京都! 12 123 1234\n\n  x = x + 1;\n";
  return train_bpe(std::span(&text, 1), {.vocabulary = 256 + 31, .special = {"<|endoftext|>"}});
}

TEST(BpeVectors, TrainingLearnsTheSameTokens) {
  const BpeModel model = learned();
  const std::vector<std::string> merged(model.tokens.begin() + 256, model.tokens.end());
  const std::vector<std::string> expected = {"he",        "the",      " 1",           " the",
                                             "lo",        " 12",      "low",          "er",
                                             "re",        "r\xC3",    "\xB1\xE4",     "\xB6\xC3",
                                             "\xBA\xAC",  "\xE6\x9D", " x",           " low",
                                             " \xE6\x9D", " 123",     "rö\xC3",       "\xB1\xE4\xBA\xAC",
                                             " 東京",     "röß",      "<|endoftext|>"};
  EXPECT_EQ(merged, expected);
}

TEST(BpeVectors, EncodingGivesTheSameIds) {
  const BpeTokenizer tokenizer(learned());
  const std::pair<std::string_view, std::vector<Token>> cases[] = {
      {"the lowest Größe: 東京都に 12345",
       {257, 271, 68, 82, 83, 220, 38, 277, 68, 25, 276, 165, 225, 121, 159, 223, 104, 273, 19, 20}},
      {"for (x = 0;  x < 12; ++x) {\n\t\n    there'll  }\n ",
       {69, 78, 81,  220, 7,   87,  220, 28,  220, 15,  26,  220, 270, 220, 27, 261, 26,  220, 10,  10,
        87, 8,  220, 90,  198, 197, 198, 220, 220, 220, 259, 264, 6,   75,  75, 220, 220, 92,  198, 220}},
      {"\xF0\x9F\x99\x82\xE2\x80\x8D\xF0\x9F\x87\xA9 \x01\x1b\x7f\xC2\xA0\xE3\x80\x80\xD9\xA5\xC2\xBD "
       "e\xCC\x81",
       {172, 253, 247, 224, 158, 222, 235, 172, 253, 229, 102, 220, 189, 215,
        221, 126, 254, 159, 222, 222, 149, 98,  126, 121, 220, 68,  136, 223}},
      {"low<|endoftext|>  <|endoftext|>low", {262, 278, 220, 220, 278, 262}}};
  for (const auto& [text, ids] : cases) {
    EXPECT_EQ(tokenizer.encode(text), ids) << text;
    EXPECT_EQ(tokenizer.decode(ids), text);
  }
}

}  // namespace
}  // namespace moe
