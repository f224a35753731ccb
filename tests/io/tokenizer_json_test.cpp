#include "common/io/tokenizer_json.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "common/data/bpe_train.hpp"
#include "tests/io/support.hpp"

namespace moe {
namespace {

using testing::complaint;
using testing::says;

BpeModel small_model() {
  const std::string_view text = "low lower lowest Größe größer 東京 東京都\n\n x\n\n";
  return train_bpe(std::span(&text, 1), {.vocabulary = 300, .special = {"<|endoftext|>", "<pad>"}});
}

// The file with `from` replaced by `to`, everywhere; `from` must be in it.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = to_tokenizer_json(small_model());
  EXPECT_NE(text.find(from), std::string::npos) << from;
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string complaint_about(const std::string& json) {
  return complaint([&] { parse_tokenizer_json(json, "t.json"); });
}

std::string byte_vocabulary(const std::string& more) {
  std::string json = to_tokenizer_json(train_bpe({}, {.vocabulary = 256, .special = {}}));
  json = json.substr(json.find("\"vocab\": {") + 9);
  return json.substr(0, json.find_last_of('}', json.find("\"merges\"")) - 1) + more + "}";
}

TEST(TokenizerJson, ReadsWhatItWrote) {
  const BpeModel model = small_model();
  ASSERT_GT(model.merges.size(), 10u);
  const std::string json = to_tokenizer_json(model);
  EXPECT_TRUE(parse_tokenizer_json(json, "t.json") == model);
  EXPECT_EQ(to_tokenizer_json(parse_tokenizer_json(json, "t.json")), json);
  EXPECT_TRUE(says(json, "\"Ġlow\""));  // the symbols of GPT-2's file
  EXPECT_TRUE(says(json, "\"ĊĊ\""));
}

TEST(TokenizerJson, ReadsMergesAsPairsToo) {
  EXPECT_TRUE(parse_tokenizer_json(changed("\"l o\"", "[\"l\", \"o\"]"), "t.json") == small_model());
}

TEST(TokenizerJson, SymbolsAreThoseOfGpt2) {
  EXPECT_EQ(symbol_of_byte('A'), U'A');
  EXPECT_EQ(symbol_of_byte(0), U'Ā');
  EXPECT_EQ(symbol_of_byte('\n'), U'Ċ');
  EXPECT_EQ(symbol_of_byte(' '), U'Ġ');
  EXPECT_EQ(symbol_of_byte(0x7F), U'ġ');
  EXPECT_EQ(symbol_of_byte(0xA0), char32_t{0x142});
  EXPECT_EQ(symbol_of_byte(0xAD), char32_t{0x143});
  EXPECT_EQ(symbol_of_byte(0xFF), U'ÿ');
}

TEST(TokenizerJson, TheFilesOfGpt2NameNoSpecialTokensButHaveThem) {
  const std::string vocab = byte_vocabulary(R"(, "lo": 256, "low": 257, "Ġlow": 258, "<|endoftext|>": 259)");
  const std::string merges = "#version: 0.2\nl o\r\nlo w\n\nĠ low\n";
  const BpeModel model = parse_vocab_and_merges(vocab, merges, "vocab.json", "merges.txt");
  EXPECT_EQ(model.special, std::vector<Token>{259});
  EXPECT_EQ(model.tokens[258], " low");
  EXPECT_EQ(BpeTokenizer(model).encode("low low<|endoftext|>"), (std::vector<Token>{257, 258, 259}));

  const auto fault = [&](const std::string& text) {
    return complaint([&] { parse_vocab_and_merges(vocab, text, "vocab.json", "merges.txt"); });
  };
  EXPECT_TRUE(says(fault("#version: 0.2\nl o\nlow\n"), "merges.txt: line 3 is not"));
  EXPECT_TRUE(says(fault("l o\nl o\n"), "merges.txt: line 2: the same pair as line 1"));
  EXPECT_TRUE(says(fault("l o w\n"), "merges.txt: line 1 is not"));
  EXPECT_TRUE(
      says(fault("l o\n#version: 0.2\n"), "merges.txt: line 2: the vocabulary has no token \"#version:\""));
  EXPECT_TRUE(says(fault("x y\n"), "merges.txt: line 1: the vocabulary has no token \"xy\""));
  EXPECT_TRUE(says(complaint([&] { parse_vocab_and_merges("[]", "", "vocab.json", "m"); }),
                   "vocab.json: is no object"));
}

TEST(TokenizerJson, FilesAndDirectories) {
  const testing::TemporaryDirectory folder;
  write_tokenizer_json(folder.path() / "tokenizer.json", small_model());
  EXPECT_TRUE(read_tokenizer(folder.path()) == small_model());
  EXPECT_TRUE(read_tokenizer(folder.path() / "tokenizer.json") == small_model());
  std::filesystem::remove(folder.path() / "tokenizer.json");
  EXPECT_TRUE(
      says(complaint([&] { read_tokenizer(folder.path()); }), "has neither tokenizer.json nor vocab.json"));
  std::ofstream(folder.path() / "vocab.json") << byte_vocabulary(R"(, "ab": 256)");
  std::ofstream(folder.path() / "merges.txt") << "a b\n";
  EXPECT_EQ(read_tokenizer(folder.path()).merges.size(), 1u);
}

TEST(TokenizerJson, CutShortAnywhereItIsRefused) {
  const std::string json = to_tokenizer_json(small_model());
  for (std::size_t n = 0; n + 2 < json.size(); n += 97)
    EXPECT_TRUE(says(complaint_about(json.substr(0, n)), "t.json: is no JSON")) << n;
  EXPECT_TRUE(says(complaint_about(json + std::string(1, '\0') + "x"), "zero byte"));
  EXPECT_TRUE(says(complaint_about("[1]"), "lacks the object \"model\""));
  EXPECT_TRUE(says(complaint_about(std::string(200000, '[')), "is no JSON"));
}

TEST(TokenizerJson, SaysWhereAFaultIs) {
  EXPECT_TRUE(says(complaint_about(changed("\"l o\"", "\"lo\"")), "merges[0] is neither"));
  EXPECT_TRUE(says(complaint_about(changed("\"l o\"", "7")), "merges[0] is neither"));
  EXPECT_TRUE(says(complaint_about(changed("\"l o\"", "\"l o w\"")), "merges[0] is neither"));
  EXPECT_TRUE(says(complaint_about(changed("\"lo\": 256", "\"lo\": 65536")), "has id 65536; at most 65536"));
  EXPECT_TRUE(says(complaint_about(changed("\"lo\": 256", "\"\": 256")), "token 256 is empty"));
  EXPECT_TRUE(says(complaint_about(changed("\"<pad>\"", "\"p\"")), "added_tokens[1]: \"p\" is too short"));
  const std::string pad = "\"id\": " + std::to_string(small_model().special[1]) +
                          ",\n   \"content\": \"<pad>\"",
                    end = "\"id\": " + std::to_string(small_model().special[0]) +
                          ",\n   \"content\": \"<|endoftext|>\"";
  EXPECT_TRUE(
      says(complaint_about(changed(pad, end)), "added_tokens[1]: \"<|endoftext|>\" for the second time"));
  EXPECT_TRUE(
      says(complaint_about(changed("\"l o\"", "\"l qq\"")), "merges[0]: the vocabulary has no token \"qq\""));
  EXPECT_TRUE(says(complaint_about(changed("\"lo\": 256", "\"lo\": -1")), "token \"lo\": the id is not"));
  EXPECT_TRUE(says(complaint_about(changed("\"lo\": 256", "\"lo\": 70000")), "has id 70000"));
  EXPECT_TRUE(says(complaint_about(changed("\"lo\": 256", "\"lo\": 5")), "id 5 belongs to two tokens"));
  EXPECT_TRUE(says(complaint_about(changed("\"lo\": 256", "\"lo\": 65535")), "id 65535, but there are"));
  EXPECT_TRUE(says(complaint_about(changed("\"!\": 0", "\"€\": 0")), "stands for no byte"));
  EXPECT_TRUE(says(complaint_about(changed("\"!\": 0", "\"zz\": 0")), "no token for byte 33"));
  EXPECT_TRUE(
      says(complaint_about(changed("\"content\": \"<pad>\"", "\"content\": \"\"")), "added_tokens[1]"));
  EXPECT_TRUE(
      says(complaint_about(changed("\"content\": \"<pad>\"", "\"content\": \"<|endoftext|>\"")), "two ids"));
}

TEST(TokenizerJson, RefusesWhatWouldMakeOtherIds) {
  EXPECT_TRUE(says(complaint_about(changed("\"BPE\"", "\"WordPiece\"")), "model has type \"WordPiece\""));
  EXPECT_TRUE(says(complaint_about(changed("\"ByteLevel\"", "\"Metaspace\"")), "pre_tokenizer has type"));
  EXPECT_TRUE(says(complaint_about(changed("\"normalizer\": null", "\"normalizer\": {}")), "normalizer"));
  EXPECT_TRUE(says(complaint_about(changed("\"dropout\": null", "\"dropout\": 0.1")), "model.dropout is"));
  EXPECT_TRUE(
      says(complaint_about(changed("\"fuse_unk\": false", "\"ignore_merges\": true")), "ignore_merges"));
  EXPECT_TRUE(
      says(complaint_about(changed("_prefix_space\": false", "_prefix_space\": true")), "add_prefix_space"));
  EXPECT_TRUE(says(complaint_about(changed("use_regex\": true", "use_regex\": false")), "use_regex"));
  EXPECT_TRUE(
      says(complaint_about(changed("\"lstrip\": false", "\"lstrip\": true")), "added_tokens[0].lstrip"));
}

// Any one byte changed: refused with a message, or a model that the tokenizer takes. Nothing else.
TEST(TokenizerJson, EveryFlippedByteIsRefusedOrHarmless) {
  const std::string json = to_tokenizer_json(small_model());
  int refused = 0;
  for (std::size_t at = 0; at < json.size(); at += 3) {
    std::string text = json;
    text[at] = static_cast<char>(text[at] ^ (1 << at % 8));
    refused += !complaint([&] { BpeTokenizer{parse_tokenizer_json(text, "t.json")}; }).empty();
  }
  EXPECT_GT(refused, 200);
}

TEST(TokenizerJson, OnlyTheFirstLineOfMergesIsAComment) {
  const std::string vocab = byte_vocabulary(R"(, "##": 256)");
  EXPECT_EQ(parse_vocab_and_merges(vocab, "#version: 0.2\n# #\n", "v", "m").merges.size(), 1u);
}

TEST(TokenizerJson, TokensThatNoMergeMakesAreSpecialInOrderOfTheirIds) {
  const std::string vocab = byte_vocabulary(R"(, "<d>": 256, "<b>": 257, "<c>": 258, "<a>": 259)");
  EXPECT_EQ(parse_vocab_and_merges(vocab, "", "v", "m").special, (std::vector<Token>{256, 257, 258, 259}));
}

TEST(TokenizerJson, SpecialTokensAreWrittenAsTheyAre) {
  BpeModel model = small_model();
  model.tokens[model.special[0]] = "<｜end of text｜>";  // neither a space nor U+FF5C as symbols of bytes
  EXPECT_TRUE(parse_tokenizer_json(to_tokenizer_json(model), "t.json") == model);
}

// As a special token "Ġlow" is those symbols, and no longer what its merge makes.
TEST(TokenizerJson, AMergeMakesNoSpecialToken) {
  const BpeModel model = small_model();
  const auto at = std::find(model.tokens.begin(), model.tokens.end(), " low") - model.tokens.begin();
  const std::string pad = concat("\"id\": ", model.special[1], ",\n   \"content\": \"<pad>\"");
  EXPECT_TRUE(says(complaint_about(changed(pad, concat("\"id\": ", at, ",\n   \"content\": \"Ġlow\""))),
                   "a merge takes part in the special token"));
}

TEST(TokenizerJson, EmptyPrefixesAreNone) {
  for (const std::string name : {"continuing_subword_prefix", "end_of_word_suffix"})
    EXPECT_TRUE(parse_tokenizer_json(changed(concat("\"", name, "\": null"), concat("\"", name, "\": \"\"")),
                                     "t.json") == small_model());
}

TEST(TokenizerJson, RefusesEachSettingThatIsOn) {
  for (const std::string name : {"byte_fallback", "single_word", "lstrip", "rstrip"})
    EXPECT_TRUE(
        says(complaint_about(changed(concat("\"", name, "\": false"), concat("\"", name, "\": true"))),
             concat(".", name, " is")));
  for (const std::string name : {"continuing_subword_prefix", "end_of_word_suffix"})
    EXPECT_TRUE(
        says(complaint_about(changed(concat("\"", name, "\": null"), concat("\"", name, "\": \"##\""))),
             concat(".", name, " is")));
  std::string json = to_tokenizer_json(small_model());
  json.replace(json.find("ByteLevel", json.find("\"decoder\"")), 9, "WordPiece");
  EXPECT_TRUE(says(complaint_about(json), "decoder has type \"WordPiece\""));
}

}  // namespace
}  // namespace moe
