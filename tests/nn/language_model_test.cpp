#include "common/nn/language_model.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/nn/support.hpp"

namespace moe::testing {
namespace {

template <class T>
std::vector<T> first(const Tensor& logits, std::int64_t begin, std::int64_t end) {
  return values_of<T>(logits.slice_rows(begin, end));
}

// Later tokens must not change what stands before them: not through attention, and not through routing.
template <class T>
void check_prefix(const LanguageModelConfig& config) {
  TestModel test(config, dtype_of<T>);
  constexpr std::int64_t B = 2, T_ = 33;
  const Batch plain = batch_of(test.ctx, B, T_, config.vocabulary),
              changed = batch_of(test.ctx, B, T_, config.vocabulary);
  constexpr std::int64_t kKept = 17;
  for (std::int64_t b = 0; b < B; ++b)
    for (std::int64_t t = kKept; t < T_; ++t) {
      std::int32_t& id = changed.tokens.id.data<std::int32_t>()[b * T_ + t];
      id = static_cast<std::int32_t>((id + 1 + t % 5) % config.vocabulary);
    }
  const Tensor a = test.logits(plain.tokens), b = test.logits(changed.tokens);
  for (std::int64_t s = 0; s < B; ++s) {
    EXPECT_TRUE(close(first<T>(a, s * T_, s * T_ + kKept), first<T>(b, s * T_, s * T_ + kKept)));
    EXPECT_NE(first<T>(a, s * T_ + kKept, s * T_ + T_), first<T>(b, s * T_ + kKept, s * T_ + T_));
  }
}

LanguageModelConfig with_qk_norm() {
  LanguageModelConfig config = tiny_config();
  config.qk_norm = true;
  return config;
}

TEST(LanguageModel, LaterTokensDoNotChangeEarlierLogits) {
  check_prefix<double>(with_qk_norm());
  for (const std::int64_t experts : {0, 4}) {
    check_prefix<double>(tiny_config(experts));
    check_prefix<float>(tiny_config(experts));
  }
}

TEST(LanguageModel, SequencesOfABatchDoNotSeeEachOther) {
  TestModel test(tiny_config());
  const Batch both = batch_of(test.ctx, 2, 7, 11);
  const auto logits = values_of<double>(test.logits(both.tokens));
  for (std::int64_t b = 0; b < 2; ++b) {
    TokenInfo one;
    one.sequences = 1;
    one.length = 7;
    one.id = both.tokens.id.slice_rows(7 * b, 7 * b + 7);
    one.position = both.tokens.position.slice_rows(7 * b, 7 * b + 7);
    const std::vector<double> expected(logits.begin() + 77 * b, logits.begin() + 77 * (b + 1));
    EXPECT_TRUE(close(values_of<double>(test.logits(one)), expected, {1e-13, 1e-12}));
  }
}

// A sequence in chunks, each continuing the caches, against the whole at once.
template <class T>
void check_cache(const LanguageModelConfig& config, const std::vector<std::int64_t>& chunks,
                 Tolerance tolerance) {
  TestModel test(config, dtype_of<T>);
  const Batch whole = batch_of(test.ctx, 1, 8, config.vocabulary);
  const auto expected = values_of<T>(test.logits(whole.tokens));
  auto caches = test.model.make_caches(test.ctx, 8);
  EXPECT_EQ(static_cast<std::int64_t>(caches.size()), config.layers);
  std::vector<T> got;
  std::int64_t begin = 0;
  for (const std::int64_t n : chunks) {
    TokenInfo part;
    part.sequences = 1;
    part.length = n;
    part.id = whole.tokens.id.slice_rows(begin, begin + n);
    part.position = whole.tokens.position.slice_rows(begin, begin + n);
    const auto logits = values_of<T>(test.logits(part, &caches));
    got.insert(got.end(), logits.begin(), logits.end());
    begin += n;
    for (const ops::KvCache& cache : caches) EXPECT_EQ(cache.length, begin);
  }
  EXPECT_TRUE(close(got, expected, tolerance))
      << chunks.size() << " chunks, " << config.moe.experts << " experts";
}

TEST(LanguageModel, ChunksThroughTheCacheEqualTheWholeSequence) {
  for (const std::int64_t experts : {0, 4})
    for (const std::vector<std::int64_t>& chunks :
         {std::vector<std::int64_t>{1, 1, 1, 1, 1, 1, 1, 1}, {8}, {3, 5}, {5, 1, 2}}) {
      check_cache<double>(tiny_config(experts), chunks, {1e-13, 1e-12});  // other tiles, other sums
      check_cache<float>(tiny_config(experts), chunks, {1e-5, 1e-5});
      check_cache<double>(with_qk_norm(), chunks, {1e-13, 1e-12});
    }
}

TEST(LanguageModel, TheEmbeddingsEntranceEqualsTheIdsEntrance) {
  TestModel test(tiny_config());
  Batch batch = batch_of(test.ctx, 2, 5, 11);
  const auto expected = values_of<double>(test.logits(batch.tokens));
  ForwardContext f{.ctx = test.ctx, .tokens = &batch.tokens};
  const Value embedded = ops::embedding(f, batch.tokens.id, *test.parameters()[0]);
  batch.tokens.id = {};
  EXPECT_EQ(values_of<double>(test.model.forward_embedded(f, embedded).tensor), expected);
  EXPECT_THROW(test.model.forward(f), Error);
  EXPECT_THROW(test.model.forward_embedded(f, normal_tensor(test.ctx, {9, 6}, 1)), Error);
}

TEST(LanguageModel, TrainingAndInferenceGiveTheSameLogits) {
  for (const LanguageModelConfig& config : {tiny_config(), with_qk_norm()}) {
    TestModel test(config, DType::f32);
    const Batch batch = batch_of(test.ctx, 2, 5, 11);
    Tape tape(test.ctx);
    ForwardContext f{.ctx = test.ctx, .tape = &tape, .training = true, .tokens = &batch.tokens};
    EXPECT_EQ(values_of<float>(test.model.forward(f).tensor), values_of<float>(test.logits(batch.tokens)));
  }
}

TEST(LanguageModel, LayersPushTheirMetricsAndLossesUnderTheirNumber) {
  TestModel test(tiny_config());
  const Batch batch = batch_of(test.ctx, 2, 5, 11);
  LossSink losses;
  MetricSink metrics;
  ForwardContext f{.ctx = test.ctx, .tokens = &batch.tokens, .losses = &losses, .metrics = &metrics};
  test.model.forward(f);
  EXPECT_EQ(losses.items.size(), 4u);  // balance and z in each of two layers
  std::vector<int> layers;
  for (const MetricSink::Item& item : metrics.items)
    if (item.name == "load") layers.push_back(item.layer);
  EXPECT_EQ(layers, (std::vector<int>{0, 1}));
}

}  // namespace
}  // namespace moe::testing
