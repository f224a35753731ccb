// Generation against full forward passes without a cache: the same text, the same experts.
#include "common/infer/generate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "tests/train/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;

// A model that learnt a little, so that its next tokens are no accident of rounding.
struct Trained {
  Context ctx{2};
  Corpus corpus = small_corpus();
  Trainer trainer;
  explicit Trained(std::int64_t experts, std::int64_t context = kContext)
      : trainer(ctx, with_context(experts, context), small_settings(60), corpus) {
    while (!trainer.finished()) trainer.step(false);
  }
  static LanguageModelConfig with_context(std::int64_t experts, std::int64_t context) {
    LanguageModelConfig c = small_config(experts);
    c.context = context;
    return c;
  }
  LanguageModel& model() { return trainer.model(); }
};

std::vector<Token> tokens_of(const std::string& text) {
  return ByteTokenizer().encode(text);
}

struct Forward {
  Tensor logits;  // (n, V)
  MetricSink metrics;
};

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

// One forward pass over all of the text, no cache.
Forward forward(Context& ctx, LanguageModel& model, std::span<const Token> text) {
  const auto n = static_cast<std::int64_t>(text.size());
  std::vector<std::int32_t> id(text.begin(), text.end()), position(text.size());
  std::iota(position.begin(), position.end(), 0);
  const TokenInfo tokens{.sequences = 1,
                         .length = n,
                         .id = tensor_of(ctx, id, {n}),
                         .position = tensor_of(ctx, position, {n}),
                         .sequence = Tensor::zeros(ctx, DType::i32, {n}),
                         .tag = {}};
  Forward result;
  ForwardContext f{.ctx = ctx, .tokens = &tokens, .metrics = &result.metrics};
  result.logits = model.forward(f).tensor;
  return result;
}

Token likeliest(const Tensor& logits) {
  const std::vector<float> last = values_of<float>(logits.slice_rows(logits.rows() - 1, logits.rows()));
  return static_cast<Token>(std::max_element(last.begin(), last.end()) - last.begin());
}

std::vector<TracedToken> generated(Trained& t, std::span<const Token> prompt,
                                   const SampleSettings& settings) {
  std::vector<TracedToken> seen;
  generate(t.ctx, t.model(), prompt, settings, [&](const TracedToken& token) {
    seen.push_back(token);
    return true;
  });
  return seen;
}

std::vector<Token> ids(const std::vector<TracedToken>& traced) {
  std::vector<Token> out;
  for (const TracedToken& t : traced) out.push_back(t.token);
  return out;
}

// What generate() is to show, computed without a cache: greedy, the last half of a full context read again.
std::vector<Token> greedy(Trained& t, const std::vector<Token>& prompt, std::int64_t tokens) {
  const auto context = static_cast<std::size_t>(t.model().config().context);
  std::vector<Token> window(prompt.end() - static_cast<std::ptrdiff_t>(std::min(prompt.size(), context - 1)),
                            prompt.end());
  std::vector<Token> all = window;
  for (std::int64_t i = 0; i < tokens; ++i) {
    if (window.size() > context)
      window.erase(window.begin(), window.end() - static_cast<std::ptrdiff_t>(context / 2));
    const Token next = likeliest(forward(t.ctx, t.model(), window).logits);
    window.push_back(next);
    all.push_back(next);
  }
  return all;
}

const SampleSettings kGreedy{.tokens = 9, .temperature = 0};

TEST(Generate, AtTemperatureZeroIsTheArgmaxOfFullForwardPasses) {
  for (const std::int64_t experts : {0, 4}) {
    Trained t(experts);
    for (const std::string prompt : {"t", "the mo", "SUN;GL"}) {
      const std::vector<Token> text = tokens_of(prompt);
      EXPECT_EQ(ids(generated(t, text, kGreedy)), greedy(t, text, 9))
          << experts << " experts, after " << prompt;
    }
  }
}

TEST(Generate, GoesOnPastTheContext) {
  for (const std::int64_t context : {16, 15, 3, 2}) {
    Trained t(4, context);
    const std::vector<Token> prompt = tokens_of("moon ");
    const std::vector<TracedToken> seen = generated(t, prompt, {.tokens = 50, .temperature = 0});
    EXPECT_EQ(ids(seen), greedy(t, prompt, 50)) << "context " << context;
  }
}

TEST(Generate, UsesTheEndOfAPromptThatIsLongerThanTheContext) {
  Trained t(4);
  const std::string text = "SUN;GLARE!BURN\tthe moon is round\nthe moon is";
  for (const std::size_t length : {15u, 16u, 17u, 40u}) {
    const std::vector<Token> prompt = tokens_of(text.substr(0, length));
    EXPECT_EQ(ids(generated(t, prompt, kGreedy)), greedy(t, prompt, 9)) << "prompt of " << length;
  }
}

TEST(Generate, AContextOfOneTokenWorks) {
  Trained t(4, 1);
  EXPECT_EQ(generated(t, tokens_of("moon"), {.tokens = 5}).size(), 6u);
}

// The experts of a processed token are those of a full pass over what the model could see.
TEST(Generate, ShowsThePromptThenWhatItMadeWithTheirExpertsExceptTheLast) {
  Trained t(4);
  const std::vector<TracedToken> seen = generated(t, tokens_of("the mo"), {.tokens = 8});
  ASSERT_EQ(seen.size(), 14u);
  EXPECT_EQ(ids({seen.begin(), seen.begin() + 6}), tokens_of("the mo"));
  EXPECT_TRUE(seen.back().layers.empty());
  const std::vector<Token> text = ids({seen.begin(), seen.end() - 1});
  const std::vector<TracedToken> traced = trace_text(t.ctx, t.model(), text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    ASSERT_EQ(seen[i].layers.size(), 2u) << "token " << i;
    for (std::size_t l = 0; l < 2; ++l)
      for (std::size_t k = 0; k < 2; ++k) {
        EXPECT_EQ(seen[i].layers[l][k].expert, traced[i].layers[l][k].expert) << "token " << i;
        EXPECT_NEAR(seen[i].layers[l][k].gate, traced[i].layers[l][k].gate, 1e-5) << "token " << i;
      }
  }
}

TEST(Generate, PastTheContextEveryTokenIsShownOnceWithItsExperts) {
  Trained t(4);
  const std::vector<TracedToken> seen = generated(t, tokens_of("the mo"), {.tokens = 60});
  ASSERT_EQ(seen.size(), 66u);
  for (std::size_t i = 0; i + 1 < seen.size(); ++i) EXPECT_EQ(seen[i].layers.size(), 2u) << "token " << i;
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

TEST(Generate, StopsWhenTheCallbackSaysSo) {
  Trained t(4);
  for (const int stop : {1, 3, 4, 7}) {
    int calls = 0;
    generate(t.ctx, t.model(), tokens_of("the"), {.tokens = 20},
             [&](const TracedToken&) { return ++calls < stop; });
    EXPECT_EQ(calls, stop);
  }
}

TEST(Generate, ZeroTokensShowThePromptOnly) {
  Trained t(4);
  EXPECT_EQ(ids(generated(t, tokens_of("the"), {.tokens = 0})), tokens_of("the"));
}

TEST(Generate, ADenseModelHasNoExpertsToShow) {
  Trained t(0);
  for (const TracedToken& token : generated(t, tokens_of("the"), {.tokens = 3}))
    EXPECT_TRUE(token.layers.empty());
}

TEST(TraceText, EqualsTheRoutingOfTheForwardPassWindowByWindow) {
  Trained t(4);
  const std::vector<Token> text = tokens_of("the moon is round\nSUN;GLARE!BURN\t");  // 16 + 16 + 1
  ASSERT_EQ(text.size(), 33u);
  const std::vector<TracedToken> traced = trace_text(t.ctx, t.model(), text);
  ASSERT_EQ(traced.size(), text.size());
  for (std::size_t begin = 0; begin < text.size(); begin += 16) {
    const std::size_t n = std::min<std::size_t>(16, text.size() - begin);
    const Forward pass = forward(t.ctx, t.model(), std::span(text).subspan(begin, n));
    for (const MetricSink::Item& item : pass.metrics.items)
      for (std::size_t i = 0; i < n; ++i) {
        EXPECT_EQ(traced[begin + i].token, text[begin + i]);
        const auto& choices = traced[begin + i].layers.at(static_cast<std::size_t>(item.layer));
        ASSERT_EQ(choices.size(), 2u);
        for (std::size_t k = 0; k < 2; ++k) {
          if (item.name == "expert") {
            EXPECT_EQ(choices[k].expert, item.tensor.data<std::int32_t>()[2 * i + k]);
          } else if (item.name == "weight") {
            EXPECT_EQ(choices[k].gate, static_cast<double>(item.tensor.data<float>()[2 * i + k]));
          }
        }
        EXPECT_GE(choices[0].gate, choices[1].gate) << "best first";
      }
  }
}

TEST(TraceText, OfNothingIsNothing) {
  Trained t(4);
  EXPECT_TRUE(trace_text(t.ctx, t.model(), {}).empty());
}

}  // namespace
}  // namespace moe
