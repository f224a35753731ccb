// Which token generation draws: seeds, temperatures, top-p, ties.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/infer/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;

TEST(Sampling, NeverTakesAnIdThatTheTokenizerLacks) {
  Trained trained(4);
  const auto most = [&](std::int64_t vocabulary, double temperature) {
    Token highest = 0;
    const SampleSettings settings{
        .tokens = 60, .temperature = temperature, .top_p = 1, .vocabulary = vocabulary};
    std::size_t seen = 0;
    generate(trained.ctx, trained.model(), tokens_of("!"), settings, [&](const TracedToken& t) {
      if (seen++ > 0) highest = std::max(highest, t.token);
      return true;
    });
    return highest;
  };
  for (const double temperature : {0.0, 1.0, 100.0}) EXPECT_LT(most(100, temperature), 100);
  EXPECT_GT(most(0, 100), 200) << "hot enough to draw any";
}

TEST(Generate, IsAFunctionOfTheSeed) {
  Trained t(4);
  const auto sample = [&](std::uint64_t seed) {
    return ids(generated(t, tokens_of("the"), {.tokens = 60, .temperature = 1.2, .top_p = 1, .seed = seed}));
  };
  EXPECT_EQ(sample(3), sample(3));
  EXPECT_NE(sample(3), sample(4));
}

// A head of zeros makes all tokens equally likely: 60 draws that agree would be one draw.
TEST(Generate, EveryTokenIsADrawOfItsOwn) {
  Trained t(4);
  t.model().visit([](const std::string& name, Parameter& p) {
    if (name == "lm_head.weight") std::fill_n(p.value.data<float>(), p.value.numel(), 0.0f);
  });
  const std::vector<Token> made =
      ids(generated(t, tokens_of("t"), {.tokens = 60, .temperature = 1, .top_p = 1}));
  EXPECT_GT(std::set<Token>(made.begin(), made.end()).size(), 40u);  // about 53 of 256 are expected
}

TEST(Generate, ATinyTopPIsGreedy) {
  Trained t(4);
  const std::vector<Token> prompt = tokens_of("the mo");
  EXPECT_EQ(ids(generated(t, prompt, {.tokens = 9, .temperature = 1.5, .top_p = 1e-6})),
            greedy(t, prompt, 9));
}

// Softmax at the temperature, cut to the likeliest tokens that reach top_p together, scaled to 1.
std::vector<double> nucleus(const std::vector<float>& logits, double temperature, double top_p) {
  std::vector<double> p;
  for (const float x : logits) p.push_back(std::exp(static_cast<double>(x) / temperature));
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  std::vector<double> sorted = p;
  std::sort(sorted.rbegin(), sorted.rend());
  double kept = 0;
  std::size_t n = 0;
  while (n < sorted.size() && kept < top_p * sum) kept += sorted[n++];
  for (double& x : p) x = x >= sorted[n - 1] ? x / kept : 0;
  return p;
}

// 2,000 draws after the same prompt: frequencies follow these probabilities, within four standard deviations.
TEST(Generate, SamplesWithTheProbabilitiesOfTheModel) {
  Trained t(4);
  const std::vector<Token> prompt = tokens_of("the moon is round\n");
  const std::vector<Token> read(prompt.end() - 15, prompt.end());
  const Tensor logits = forward(t.ctx, t.model(), read).logits;
  for (const auto& [temperature, top_p] : {std::pair{0.7, 1.0}, std::pair{3.0, 0.5}}) {
    const std::vector<double> p = nucleus(values_of<float>(logits.slice_rows(14, 15)), temperature, top_p);
    std::vector<double> count(256);
    constexpr int kDraws = 2000;
    for (std::uint64_t seed = 0; seed < kDraws; ++seed)
      ++count[generated(t, prompt, {.tokens = 1, .temperature = temperature, .top_p = top_p, .seed = seed})
                  .back()
                  .token];
    for (std::size_t v = 0; v < 256; ++v) {
      const double slack = p[v] > 0 ? 4 * std::sqrt(kDraws * p[v] * (1 - p[v])) + 2 : 0;
      EXPECT_NEAR(count[v], kDraws * p[v], slack) << "token " << v << ", top_p " << top_p;
    }
  }
}

TEST(Generate, AVeryLowTemperatureIsGreedyAndNoOverflow) {
  Trained t(4);
  const std::vector<Token> prompt = tokens_of("the mo");
  EXPECT_EQ(ids(generated(t, prompt, {.tokens = 9, .temperature = 1e-5, .top_p = 1})), greedy(t, prompt, 9));
}

// With 256 tokens alike the lower ids come first, and a top_p of 1/256 keeps exactly one.
TEST(Generate, OfEqualsTheLowerIdIsLikelierAndTopPIsExact) {
  Trained t(4);
  t.model().visit([](const std::string& name, Parameter& p) {
    if (name == "lm_head.weight") std::fill_n(p.value.data<float>(), p.value.numel(), 0.0f);
  });
  EXPECT_EQ(ids(generated(t, tokens_of("t"), {.tokens = 3, .temperature = 0})),
            (std::vector<Token>{'t', 0, 0, 0}));
  for (const TracedToken& token :
       generated(t, tokens_of("!"), {.tokens = 200, .temperature = 1, .top_p = 1.0 / 256}))
    EXPECT_TRUE(token.token == '!' || token.token == 0) << token.token;
}

}  // namespace
}  // namespace moe
