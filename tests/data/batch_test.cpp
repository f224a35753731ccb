#include "common/data/batch.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "kernels/base/check.hpp"
#include "tests/support/compare.hpp"

namespace moe {
namespace {

using testing::close;

// Token i of domain d is 10,000 d + i (held out: + 5,000): every id tells where it comes from. `train` sizes
// differ.
Domain counting(int d, int train, int held_out) {
  Domain domain;
  domain.name = concat("domain", d);
  domain.train.resize(static_cast<std::size_t>(train));
  domain.held_out.resize(static_cast<std::size_t>(held_out));
  std::iota(domain.train.begin(), domain.train.end(), static_cast<Token>(10000 * d));
  std::iota(domain.held_out.begin(), domain.held_out.end(), static_cast<Token>(10000 * d + 5000));
  return domain;
}

Corpus counting_corpus() {
  Corpus corpus;
  corpus.domains = {counting(0, 5000, 500), counting(1, 200, 40), counting(2, 1000, 129)};
  return corpus;
}

// Every third token stands for three bytes, the others for one.
class UnevenTokenizer final : public Tokenizer {
 public:
  std::string name() const override { return "uneven"; }
  std::int64_t vocabulary() const override { return 65536; }
  std::vector<Token> encode(std::string_view) const override { return {}; }
  std::string decode(std::span<const Token>) const override { return {}; }
  std::int64_t byte_count(Token token) const override { return token % 3 == 0 ? 3 : 1; }
};

bool same(const Batch& a, const Batch& b) {
  return a.id == b.id && a.target == b.target && a.domain == b.domain && a.first_token == b.first_token;
}

TEST(MakeBatch, TargetsAreTheNextTokenOfOneDomain) {
  const Corpus corpus = counting_corpus();
  for (const std::int64_t length : testing::kAwkward) {
    const Batch batch = make_batch(corpus, 7, 3, 5, length);
    ASSERT_EQ(batch.tokens(), 5 * length);
    ASSERT_EQ(batch.domain.size(), 5u);
    for (std::int64_t s = 0; s < 5; ++s)
      for (std::int64_t t = 0; t < length; ++t) {
        const auto i = static_cast<std::size_t>(s * length + t);
        ASSERT_EQ(batch.id[i], batch.id[static_cast<std::size_t>(s * length)] + t);
        ASSERT_EQ(batch.target[i], batch.id[i] + 1);
        ASSERT_EQ(batch.target[i] / 10000, batch.domain[static_cast<std::size_t>(s)]);
        ASSERT_LT(batch.target[i] % 10000, 5000) << "a held-out token in a training batch";
        ASSERT_EQ(batch.position[i], t);
        ASSERT_EQ(batch.sequence[i], s);
      }
    EXPECT_EQ(batch.first_token, 3 * 5 * length);
  }
}

TEST(MakeBatch, SeedAndStepAreAllThatMatters) {
  const Corpus corpus = counting_corpus();
  const Batch batch = make_batch(corpus, 1, 10, 8, 16);
  make_batch(corpus, 99, 0, 3, 5);  // no hidden state
  EXPECT_TRUE(same(batch, make_batch(corpus, 1, 10, 8, 16)));
  EXPECT_NE(batch.id, make_batch(corpus, 1, 11, 8, 16).id);
  EXPECT_NE(batch.id, make_batch(corpus, 2, 10, 8, 16).id);
  EXPECT_NE(batch.id, make_batch(corpus, 1ull << 32 | 1, 10, 8, 16).id);
}

TEST(MakeBatch, ALargerBatchBeginsWithTheSmaller) {
  const Corpus corpus = counting_corpus();
  const Batch small = make_batch(corpus, 1, 4, 3, 16);
  Batch large = make_batch(corpus, 1, 4, 8, 16);
  large.id.resize(small.id.size());
  EXPECT_TRUE(close(large.id, small.id));
}

TEST(MakeBatch, DomainsAreDrawnUniformlyWhateverTheirSizes) {
  const Corpus corpus = counting_corpus();
  std::vector<int> count(3);
  for (std::uint32_t step = 0; step < 300; ++step)
    for (const std::int32_t d : make_batch(corpus, 5, step, 10, 4).domain)
      ++count[static_cast<std::size_t>(d)];
  for (const int n : count) EXPECT_NEAR(n, 1000, 104);  // four standard deviations
}

TEST(MakeBatch, StartsAreDrawnUniformly) {
  Corpus corpus;
  corpus.domains = {counting(0, 4003, 10)};  // 4,000 starts of length 3
  std::vector<int> quarter(4);
  for (std::uint32_t step = 0; step < 400; ++step) {
    const Batch batch = make_batch(corpus, 5, step, 10, 3);
    for (std::size_t s = 0; s < 10; ++s) ++quarter[static_cast<std::size_t>(batch.id[3 * s] / 1000)];
  }
  for (const int n : quarter) EXPECT_NEAR(n, 1000, 110);
}

TEST(MakeBatch, FirstAndLastStartAreReached) {
  Corpus corpus;
  corpus.domains = {counting(0, 7, 5)};  // windows of 4 + 1 tokens start at 0, 1 or 2
  std::set<std::int32_t> starts;
  for (std::uint32_t step = 0; step < 100; ++step) starts.insert(make_batch(corpus, 1, step, 1, 4).id[0]);
  EXPECT_EQ(starts, (std::set<std::int32_t>{0, 1, 2}));
}

TEST(MakeBatch, TextOfOneWindowHasOneStart) {
  Corpus corpus;
  corpus.domains = {counting(0, 5, 5)};
  for (std::uint32_t step = 0; step < 10; ++step) EXPECT_EQ(make_batch(corpus, 1, step, 1, 4).id[0], 0);
  EXPECT_THROW(make_batch(corpus, 1, 0, 1, 5), Error);
}

TEST(MakeBatch, EmptyBatchIsAllowed) {
  const Batch batch = make_batch(counting_corpus(), 1, 1, 0, 16);
  EXPECT_EQ(batch.tokens(), 0);
  EXPECT_TRUE(batch.id.empty() && batch.domain.empty());
}

TEST(MakeBatch, LastStepsDoNotOverflow) {
  const Batch batch = make_batch(counting_corpus(), 1, 0xffffffffu, 16, 128);
  EXPECT_EQ(batch.first_token, 0xffffffffll * 16 * 128);
}

TEST(MakeBatch, TargetBytesCountWhatTargetsStandFor) {
  Corpus corpus = counting_corpus();
  EXPECT_EQ(make_batch(corpus, 1, 1, 4, 33).target_bytes, 4 * 33);
  corpus.tokenizer = std::make_shared<UnevenTokenizer>();
  EXPECT_EQ(make_batch(corpus, 1, 1, 4, 33).target_bytes, 4 * (11 * 3 + 22));
}

TEST(HeldOutBatches, WindowsCoverTheTextWithoutOverlap) {
  const Corpus corpus = counting_corpus();
  const auto batches = held_out_batches(corpus, 2, 3, 16, 1 << 20);  // 129 tokens: 8 windows
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[2].sequences, 2) << "the last batch is smaller, not padded";
  std::vector<std::int32_t> id, target, expected(128);
  for (const Batch& batch : batches) {
    EXPECT_EQ(batch.first_token, static_cast<std::int64_t>(id.size()));
    EXPECT_EQ(batch.domain, std::vector<std::int32_t>(static_cast<std::size_t>(batch.sequences), 2));
    EXPECT_EQ(batch.tokens(), static_cast<std::int64_t>(batch.id.size()));
    EXPECT_EQ(batch.sequence.back(), batch.sequences - 1);
    EXPECT_EQ(batch.target_bytes, batch.tokens());
    id.insert(id.end(), batch.id.begin(), batch.id.end());
    target.insert(target.end(), batch.target.begin(), batch.target.end());
  }
  std::iota(expected.begin(), expected.end(), 25000);
  EXPECT_TRUE(close(id, expected));
  for (auto& token : expected) ++token;
  EXPECT_TRUE(close(target, expected));
}

TEST(HeldOutBatches, ATokenShortOfAWindowIsLeftOut) {
  Corpus corpus;
  for (const int size : {16, 17, 32, 33}) {
    corpus.domains = {counting(0, 100, size)};
    const auto batches = held_out_batches(corpus, 0, 8, 16, 1000);
    const std::int64_t windows = (size - 1) / 16;  // 0, 1, 1, 2
    ASSERT_EQ(batches.size(), windows > 0 ? 1u : 0u);
    for (const Batch& batch : batches) EXPECT_EQ(batch.sequences, windows);
  }
}

TEST(HeldOutBatches, AtMostMaxTokensSpreadOverTheText) {
  const Corpus corpus = counting_corpus();
  const auto batches = held_out_batches(corpus, 0, 4, 10, 59);  // 49 windows, 5 taken
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(batches[0].sequences + batches[1].sequences, 5);
  const std::vector<std::int32_t> starts = {batches[0].id[0], batches[0].id[10], batches[0].id[20],
                                            batches[0].id[30], batches[1].id[0]};
  EXPECT_TRUE(close(starts, {5000, 5090, 5190, 5290, 5390}));
  EXPECT_THROW(held_out_batches(corpus, 0, 4, 10, 9), Error);
}

}  // namespace
}  // namespace moe
