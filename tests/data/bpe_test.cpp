#include "common/data/bpe.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "common/data/bpe_train.hpp"
#include "kernels/base/check.hpp"
#include "tests/data/support.hpp"

namespace moe {
namespace {

using Strings = std::vector<std::string>;

Strings words_of(std::string_view text, std::vector<std::string> special = {}) {
  Strings words;
  TextSplitter(std::move(special)).split(text, [&](std::string_view piece, int) {
    words.emplace_back(piece);
  });
  return words;
}

BpeModel train(std::string_view text, const BpeTrainOptions& options) {
  return train_bpe(std::span(&text, 1), options);
}

Strings merges_of(const BpeModel& model) {
  Strings rows;
  for (const BpeMerge& m : model.merges) rows.push_back(model.tokens[m.left] + "+" + model.tokens[m.right]);
  return rows;
}

std::string random_bytes(std::mt19937& random, std::size_t length, int distinct) {
  std::string text(length, '\0');
  for (char& c : text) c = static_cast<char>(random() % static_cast<unsigned>(distinct));
  return text;
}

// The textbook: counts every pair of the whole text anew for each merge. Words are kept as lists of strings.
Strings naive_merges(const std::string& text, std::size_t vocabulary, std::int64_t least_count) {
  const auto order = bytes_by_symbol();
  std::map<std::string, int> id;
  for (std::size_t i = 0; i < 256; ++i) id[std::string(1, static_cast<char>(order[i]))] = static_cast<int>(i);
  std::vector<Strings> words;
  for (const std::string& word : words_of(text)) {
    words.emplace_back();
    for (const char c : word) words.back().emplace_back(1, c);
  }
  Strings rows;
  while (id.size() < vocabulary) {
    std::map<std::pair<int, int>, std::int64_t> counts;
    std::map<int, std::string> name;
    for (const auto& [token, i] : id) name[i] = token;
    for (const Strings& word : words)
      for (std::size_t i = 0; i + 1 < word.size(); ++i) ++counts[{id[word[i]], id[word[i + 1]]}];
    std::pair<int, int> best;
    std::int64_t most = 0;
    for (const auto& [pair, count] : counts)  // in order of pairs: the first of equals stays
      if (count > most) most = count, best = pair;
    if (most < least_count) break;
    const std::string left = name[best.first], right = name[best.second];
    if (std::find(rows.begin(), rows.end(), left + "+" + right) == rows.end())
      rows.push_back(left + "+" + right);
    id.emplace(left + right, static_cast<int>(id.size()));
    for (Strings& word : words)
      for (std::size_t i = 0; i + 1 < word.size(); ++i)
        if (word[i] == left && word[i + 1] == right) {
          word[i] += right;
          word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        }
  }
  return rows;
}

TEST(BpeWords, AreThoseOfGpt2) {
  EXPECT_EQ(
      words_of("I'll say: it's  3 o'clock!?\n\n  yes"),
      (Strings{"I", "'ll", " say", ":", " it", "'s", " ", " 3", " o", "'", "clock", "!?", "\n\n ", " yes"}));
  EXPECT_EQ(words_of("Größe ½² 東京、カナ 🙂"),
            (Strings{"Größe", " ½²", " 東京", "、", "カナ", " 🙂"}));
  EXPECT_EQ(words_of("a\tb \t c   "), (Strings{"a", "\t", "b", " \t", " c", "   "}));
  EXPECT_EQ(words_of("x\xC2\xA0y\xE3\x80\x80z"), (Strings{"x", "\xC2\xA0", "y", "\xE3\x80\x80", "z"}));
  EXPECT_EQ(words_of("'S 'd"), (Strings{"'", "S", " '", "d"}));
}

TEST(BpeWords, BytesOfNoCharacterAreSigns) {
  EXPECT_EQ(words_of("a\xFF\xC3 \x80!b"), (Strings{"a", "\xFF\xC3", " \x80!", "b"}));
}

TEST(BpeWords, LeaveNothingOut) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    const std::string text = random_bytes(random, 300, 256);
    std::string joined;
    for (const std::string& word : words_of(text, {"ab", "!"})) {
      EXPECT_FALSE(word.empty());
      joined += word;
    }
    EXPECT_EQ(joined, text);
  }
}

TEST(BpeWords, TheLongestOfTheLeftmostSpecialTokensWins) {
  EXPECT_EQ(words_of("x<a><ab>c<a", {"<a>", "<a", "<ab>"}), (Strings{"x", "<a>", "<ab>", "c", "<a"}));
}

// aaab: aa 2, ab 1; daab: da 1, aa 1, ab 1. So aa (3) first; then aab: aa+a 1, a+b 1 | d+aa 1, aa+b 1.
TEST(BpeTraining, MergesByHand) {
  const BpeModel model = train("aaab;daab", {.vocabulary = 257, .least_count = 1, .special = {}});
  EXPECT_EQ(merges_of(model), Strings{"a+a"});
  EXPECT_EQ(model.tokens.back(), "aa");
  EXPECT_EQ(model.merges[0].result, 256);
  const auto tokens = BpeTokenizer(model).encode("aaab");
  EXPECT_EQ(tokens, (std::vector<Token>{256, model.merges[0].left, BpeTokenizer(model).encode("b")[0]}));
}

// low x5, lower x2: lo 7, ow 7, we 2, er 2. Ids rise with the character: (l, o) before (o, w).
TEST(BpeTraining, OfEquallyFrequentPairsTheSmallerGoesFirst) {
  const BpeModel model = train("low;low;low;low;low;lower;lower", {.vocabulary = 300, .special = {}});
  const Strings rows = merges_of(model);
  EXPECT_EQ(rows, (Strings{"l+o", "lo+w", "e+r", "low+er"}));
}

TEST(BpeTraining, IsTheNaiveOne) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    std::string text = random_bytes(random, 200 + seed * 5, 2 + static_cast<int>(seed % 5));
    for (char& c : text) c = " abcde"[static_cast<std::size_t>(c) + (seed % 3 == 0 ? 1 : 0)];
    const std::int64_t least = 1 + seed % 3;
    const BpeModel model = train(text, {.vocabulary = 256 + 40, .least_count = least, .special = {}});
    EXPECT_EQ(merges_of(model), naive_merges(text, 256 + 40, least)) << "seed " << seed;
  }
}

TEST(BpeTraining, ShortAndEmptyTextsHaveNoMerges) {
  for (const char* text : {"", "a", "ab"}) {
    const BpeModel model = train(text, {});
    EXPECT_TRUE(model.merges.empty()) << text;
    EXPECT_EQ(model.tokens.size(), 257u);
  }
  EXPECT_EQ(train_bpe({}, {}).tokens.size(), 257u);
}

TEST(BpeTraining, SpecialTokensAreNotLearned) {
  const BpeModel model = train("<s>ab<s>ab<s>ab<s>", {.vocabulary = 300, .special = {"<s>", "<pad>"}});
  EXPECT_EQ(merges_of(model), Strings{"a+b"});
  EXPECT_EQ(model.special, (std::vector<Token>{257, 258}));
  EXPECT_EQ(BpeTokenizer(model).encode("ab<pad><s>"), (std::vector<Token>{256, 258, 257}));
}

TEST(BpeTraining, RefusesWhatCannotBe) {
  const auto refused = [](const BpeTrainOptions& options, const std::string& piece) {
    testing::expect_user_error(ExitCode::usage, piece, [&] { train("abab", options); });
  };
  refused({.vocabulary = 256}, "256 tokens");
  refused({.vocabulary = 65537}, "65537");
  for (const char* special : {"", "a", "a b", "\xC3\xA4"}) refused({.special = {special}}, "special token");
  refused({.special = {"<s>", "<s>"}}, "<s>");
}

TEST(BpeTokenizer, AnyBytesComeBack) {
  std::mt19937 random(7);
  const std::string text = "the then there Größe 東京東京 " + random_bytes(random, 2000, 256);
  const BpeTokenizer tokenizer(train(text + text, {.vocabulary = 700}));
  for (const std::size_t length : {0, 1, 2, 31, 33, 127, 129, 5000}) {
    const std::string bytes = random_bytes(random, length, length % 2 ? 256 : 4) + "the then";
    const auto tokens = tokenizer.encode(bytes);
    EXPECT_EQ(tokenizer.decode(tokens), bytes);
    std::int64_t sum = 0;
    for (const Token t : tokens) sum += tokenizer.byte_count(t);
    EXPECT_EQ(sum, static_cast<std::int64_t>(bytes.size()));
  }
  EXPECT_TRUE(tokenizer.encode("").empty());
  EXPECT_EQ(tokenizer.decode({}), "");
}

// Against merging by the definition: look through the whole word for the lowest rank, again and again.
TEST(BpeTokenizer, TakesTheLowestRankFirst) {
  std::mt19937 random(11);
  std::string text = random_bytes(random, 4000, 4);
  for (char& c : text) c = "abcd"[static_cast<std::size_t>(c)];
  const BpeModel model = train(text, {.vocabulary = 400, .special = {}});
  const BpeTokenizer tokenizer(model);
  const std::string word = text.substr(17, 60);
  std::vector<Token> expected;
  for (const char c : word) expected.push_back(tokenizer.encode(std::string(1, c))[0]);
  for (bool merged = true; merged;) {
    merged = false;
    for (std::size_t rank = 0; rank < model.merges.size() && !merged; ++rank)
      for (std::size_t i = 0; i + 1 < expected.size() && !merged; ++i)
        if (expected[i] == model.merges[rank].left && expected[i + 1] == model.merges[rank].right) {
          expected[i] = model.merges[rank].result;
          expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(i) + 1);
          merged = true;
        }
  }
  EXPECT_LT(expected.size(), 40u);
  EXPECT_EQ(tokenizer.encode(word), expected);
}

TEST(BpeTokenizer, ItsNameTellsVocabulariesApart) {
  const auto name = [](std::string_view text) { return BpeTokenizer(train(text, {})).name(); };
  EXPECT_TRUE(name("abab").starts_with("bpe-258-")) << name("abab");
  EXPECT_EQ(name("abab"), name("ab ab!ab"));
  EXPECT_NE(name("abab"), name("acac"));
}

TEST(BpeTokenizer, RefusesBrokenModelsAndIds) {
  const BpeModel good = train("abab", {});
  BpeModel model = good;
  model.tokens[3] = "xy";
  EXPECT_THROW(BpeTokenizer{model}, Error);
  model = good;
  std::swap(model.merges[0].left, model.merges[0].right);
  EXPECT_THROW(BpeTokenizer{model}, Error);
  model = good;
  model.merges.push_back(model.merges[0]);
  EXPECT_THROW(BpeTokenizer{model}, Error);
  const std::vector<Token> unknown = {258};
  EXPECT_THROW(BpeTokenizer(good).decode(unknown), Error);
  EXPECT_THROW(BpeTokenizer(good).byte_count(258), Error);
}

TEST(BpeTokenizer, SpecialTokensMayHaveAnyIds) {
  BpeModel model{.tokens = {"<s>"}, .merges = {}, .special = {257, 0}};
  for (const unsigned char byte : bytes_by_symbol()) model.tokens.emplace_back(1, static_cast<char>(byte));
  model.tokens.push_back("<pad>");
  EXPECT_EQ(BpeTokenizer(model).encode("<s>!<pad>\""), (std::vector<Token>{0, 1, 257, 2}));
}

TEST(BpeTokenizer, ItsNameDependsOnTheMergesAndOnWhereTokensEnd) {
  BpeModel model = train("abab", {});
  const std::string name = BpeTokenizer(model).name();
  model.merges.clear();
  const std::string without = BpeTokenizer(model).name();
  EXPECT_NE(without, name);
  model.tokens[256] = "abc", model.tokens[257] = "def";
  const std::string one = BpeTokenizer(model).name();
  model.tokens[256] = "ab", model.tokens[257] = "cdef";
  EXPECT_NE(BpeTokenizer(model).name(), one);
}

TEST(BpeTraining, TheVocabularyHoldsTheSpecialTokens) {
  const BpeModel model = train("abcdefgh abcdefgh", {.vocabulary = 260, .special = {"<s>", "<pad>"}});
  EXPECT_EQ(model.tokens.size(), 260u);
}

}  // namespace
}  // namespace moe
