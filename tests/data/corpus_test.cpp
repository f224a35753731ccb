#include "common/data/corpus.hpp"

#include <gtest/gtest.h>

#include "common/data/bpe_train.hpp"
#include "tests/data/support.hpp"

namespace moe {
namespace {

using testing::expect_user_error;
using testing::numbered_lines;
using testing::TemporaryFolder;

// Two bytes a token: stands for vocabularies of longer tokens.
class PairTokenizer final : public Tokenizer {
 public:
  std::string name() const override { return "pair"; }
  std::int64_t vocabulary() const override { return 65536; }
  std::vector<Token> encode(std::string_view text) const override {
    std::vector<Token> tokens;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
      tokens.push_back(static_cast<Token>(static_cast<unsigned char>(text[i]) << 8 |
                                          static_cast<unsigned char>(text[i + 1])));
    return tokens;
  }
  std::string decode(std::span<const Token>) const override { return {}; }
  std::int64_t byte_count(Token) const override { return 2; }
};

CorpusOptions own_texts(std::vector<std::string> texts, std::int64_t context) {
  return {.context = context, .domains = std::vector<std::string>{}, .texts = std::move(texts)};
}

Domain split_texts(const std::vector<std::string>& texts, std::int64_t context) {
  return make_domain(testing::packaged("sample", {}, "sample-package"), texts, ByteTokenizer(), context);
}

std::string text_of(const std::vector<Token>& tokens) {
  return ByteTokenizer().decode(tokens);
}

TEST(MakeDomain, OneFileHoldsOutItsLastTwentieth) {
  const std::string text = numbered_lines(1000);  // 8,000 bytes
  const Domain domain = split_texts({text}, 16);
  EXPECT_EQ(text_of(domain.train), text.substr(0, 7600));
  EXPECT_EQ(text_of(domain.held_out), text.substr(7600));
  EXPECT_EQ(domain.bytes, 8000);
}

TEST(MakeDomain, ASmallFileHoldsOutOneWindow) {
  const std::string text = numbered_lines(100);  // 800 bytes: a twentieth is less than a window of 65
  const Domain domain = split_texts({text}, 64);
  EXPECT_EQ(text_of(domain.held_out), text.substr(800 - 65));
  EXPECT_EQ(text_of(domain.train), text.substr(0, 800 - 65));
}

TEST(MakeDomain, FewFilesHoldOutTheTailOfEach) {
  const std::string a = numbered_lines(500, "a"), b = numbered_lines(250, "b");  // 4,000 and 2,000 bytes
  const Domain domain = split_texts({a, b}, 16);
  EXPECT_EQ(text_of(domain.train), a.substr(0, 3800) + b.substr(0, 1900));
  EXPECT_EQ(text_of(domain.held_out), a.substr(3800) + b.substr(1900));
}

TEST(MakeDomain, ManyFilesHoldOutEveryTwentiethWhole) {
  std::vector<std::string> texts;
  for (int i = 0; i < 41; ++i) texts.push_back(numbered_lines(10, "file" + std::to_string(i)));
  const Domain domain = split_texts(texts, 16);
  EXPECT_EQ(text_of(domain.held_out), texts[19] + texts[39]);
  std::string train;
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (i != 19 && i != 39) train += texts[i];
  EXPECT_EQ(text_of(domain.train), train);
}

TEST(MakeDomain, SmallestTextIsTwoWindows) {
  for (const std::int64_t context : {1, 31, 32, 33, 127}) {
    const auto least = static_cast<std::size_t>(2 * (context + 1));
    const Domain domain = split_texts({std::string(least, 'a')}, context);
    EXPECT_EQ(domain.train.size(), least / 2);
    EXPECT_EQ(domain.held_out.size(), least / 2);
    expect_user_error(ExitCode::bad_file,
                      concat("has ", least - 1, " bytes; a context of ", context, " needs at least ", least),
                      [&] { split_texts({std::string(least - 1, 'a')}, context); });
  }
}

TEST(MakeDomain, NeededBytesCountBytesNotTokens) {
  const DomainSource source = parse_text_argument("a=b");
  expect_user_error(ExitCode::bad_file, "has 600 bytes; a context of 15 needs at least 640",
                    [&] { make_domain(source, {std::string(600, 'a')}, PairTokenizer(), 15); });
  EXPECT_EQ(make_domain(source, {std::string(640, 'a')}, PairTokenizer(), 15).held_out.size(), 16u);
}

TEST(MakeDomain, TheSameBytesAreHeldOutUnderEveryTokenizer) {
  std::vector<std::string> texts;
  for (const int files : {1, 2, 21}) {
    texts.resize(static_cast<std::size_t>(files), numbered_lines(1000, "one two three"));
    const std::string_view view = texts[0];
    const BpeTokenizer bpe(train_bpe(std::span(&view, 1), {.vocabulary = 300}));
    const Domain as_bytes = split_texts(texts, 16);
    const Domain as_bpe = make_domain(testing::packaged("sample", {}, ""), texts, bpe, 16);
    EXPECT_EQ(bpe.decode(as_bpe.train), text_of(as_bytes.train));
    EXPECT_EQ(bpe.decode(as_bpe.held_out), text_of(as_bytes.held_out));
    EXPECT_LT(2 * as_bpe.held_out.size(), as_bytes.held_out.size()) << "these tokens are long";
    EXPECT_EQ(as_bpe.bytes, as_bytes.bytes);
  }
}

TEST(LoadCorpus, TextsBecomeDomainsInOrder) {
  const TemporaryFolder folder;
  const auto one = folder.write("one", numbered_lines(100, "1"));
  const auto two = folder.write_gz("two.gz", numbered_lines(200, "2"));
  const Corpus corpus = load_corpus(own_texts({"first=" + one, "second=" + two}, 32));
  ASSERT_EQ(corpus.domains.size(), 2u);
  EXPECT_EQ(corpus.domains[0].name, "first");
  EXPECT_EQ(corpus.domains[1].name, "second");
  EXPECT_EQ(text_of(corpus.domains[1].train) + text_of(corpus.domains[1].held_out), numbered_lines(200, "2"));
  EXPECT_EQ(corpus.domains[1].source, two);
}

TEST(LoadCorpus, TokenizersLearnFromTrainingTextOnly) {
  const TemporaryFolder folder;
  const auto one = folder.write("one", numbered_lines(100, "1")),
             two = folder.write("two", numbered_lines(200, "2"));
  std::string seen;
  const Corpus corpus = load_corpus(own_texts({"first=" + one, "second=" + two}, 8), [&](auto training) {
    for (const std::string_view text : training) seen += text;
    return std::make_shared<PairTokenizer>();
  });
  EXPECT_EQ(corpus.tokenizer->name(), "pair");
  const std::string first = numbered_lines(100, "1"),
                    second = numbered_lines(200, "2");  // 800 and 1,600 bytes
  EXPECT_EQ(seen, first.substr(0, 800 - 40) + second.substr(0, 1600 - 80));
}

TEST(LoadCorpus, ATextReplacesTheDefaultOfItsName) {
  const TemporaryFolder folder;
  const auto path = folder.write("own", numbered_lines(100));
  CorpusOptions options = own_texts({"german=" + path}, 32);
  options.domains = {"german"};  // needs no package, since its only default is replaced
  const Corpus corpus = load_corpus(options);
  ASSERT_EQ(corpus.domains.size(), 1u);
  EXPECT_EQ(corpus.domains[0].bytes, 800);
}

TEST(LoadCorpus, NamesWhatIsWrong) {
  const TemporaryFolder folder;
  const auto load = [](std::vector<std::string> texts) { return [=] { load_corpus(own_texts(texts, 32)); }; };
  const auto empty = folder.write("empty", ""), small = folder.write("small", "too small");
  expect_user_error(ExitCode::bad_file, "is empty", load({"a=" + empty}));
  expect_user_error(ExitCode::bad_file, "needs at least 66", load({"a=" + small}));
  expect_user_error(ExitCode::bad_file, "there is no such file", load({"a=" + folder / "absent"}));
  expect_user_error(ExitCode::bad_file, "is a directory", load({"a=" + folder / ""}));
  expect_user_error(ExitCode::usage, "not of the form", load({"a"}));
  expect_user_error(ExitCode::usage, "twice", load({"a=" + small, "a=" + empty}));
  expect_user_error(ExitCode::usage, "no text to learn from", load({}));
}

TEST(LoadCorpus, UnknownDomainListsTheKnownOnes) {
  CorpusOptions options;
  options.domains = {"german", "klingon"};
  expect_user_error(ExitCode::usage, "there is no domain 'klingon'\n  choose among: cpp dictionary",
                    [&] { load_corpus(options); });
}

TEST(LoadSources, MissingPackagesAreNamedTogetherWithTheirCommand) {
  const TemporaryFolder folder;
  const DomainSource here = parse_text_argument("here=" + folder.write("here", numbered_lines(100)));
  const DomainSource one = testing::packaged("one", {folder / "1"}, "pack-1");
  const DomainSource two = testing::packaged("two", {folder / "2"}, "pack-2");
  expect_user_error(ExitCode::missing, "pack-2 (domain 'two')\n  apt-get install pack-1 pack-2", [&] {
    load_sources({one, here, two}, 32);
  });
}

TEST(LoadCorpus, DefaultDomainsLoadTwiceTheSame) {
  for (const DomainSource& row : default_domains())
    if (read_texts(row).empty()) GTEST_SKIP() << row.package << " is not installed";
  const Corpus corpus = load_corpus({});
  EXPECT_EQ(corpus.domains.size(), 6u);
  EXPECT_EQ(fingerprint(corpus), fingerprint(load_corpus({})));
}

TEST(Fingerprint, ChangesWithEveryPart) {
  Corpus corpus;
  corpus.domains.push_back(split_texts({numbered_lines(100)}, 16));
  const std::uint32_t before = fingerprint(corpus);
  EXPECT_EQ(fingerprint(Corpus(corpus)), before);

  const auto changed = [&](auto&& change) {
    Corpus other = corpus;
    change(other);
    return fingerprint(other) != before;
  };
  EXPECT_TRUE(changed([](Corpus& c) { c.domains[0].train.front() ^= 1; }));
  EXPECT_TRUE(changed([](Corpus& c) { c.domains[0].train.back() ^= 256; }));
  EXPECT_TRUE(changed([](Corpus& c) { c.domains[0].held_out.back() ^= 1; }));
  EXPECT_TRUE(changed([](Corpus& c) { c.domains[0].name = "other"; }));
  EXPECT_TRUE(changed([](Corpus& c) { c.tokenizer = std::make_shared<PairTokenizer>(); }));
  EXPECT_TRUE(changed([](Corpus& c) { c.domains.push_back(c.domains[0]); }));
  EXPECT_TRUE(changed([](Corpus& c) {  // the same tokens, split elsewhere
    c.domains[0].held_out.insert(c.domains[0].held_out.begin(), c.domains[0].train.back());
    c.domains[0].train.pop_back();
  }));
}

}  // namespace
}  // namespace moe
