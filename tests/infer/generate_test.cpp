// Generation against full forward passes without a cache: the same text, the same experts.
#include "common/infer/generate.hpp"

#include <gtest/gtest.h>

#include "tests/infer/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;

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

// The last token that a full context holds sees all of it; only the one after it is read in a shorter window.
TEST(Generate, AContextIsUsedUpToItsLastToken) {
  Trained t(4);
  const std::vector<TracedToken> seen = generated(t, tokens_of("the mo"), {.tokens = 30, .temperature = 0});
  const std::vector<Token> text = ids({seen.begin(), seen.begin() + kContext});
  const TracedToken last = trace_text(t.ctx, t.model(), text).back();
  for (std::size_t l = 0; l < 2; ++l)
    for (std::size_t k = 0; k < 2; ++k)
      EXPECT_NEAR(seen[kContext - 1].layers.at(l).at(k).gate, last.layers.at(l).at(k).gate, 1e-5);
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

TEST(TraceText, ADroppedChoiceIsNotShown) {
  Context ctx;
  LanguageModelConfig config = small_config(4);
  config.moe.router = "switch", config.moe.capacity_factor = 0.25;
  LanguageModel model(ctx, config);
  initialise(ctx, 1, [&](const ParameterVisitor& v) { model.visit(v); });
  std::size_t shown = 0;
  for (const TracedToken& token : trace_text(ctx, model, tokens_of("the moon is roun")))
    for (const auto& choices : token.layers)
      for (const Choice& choice : choices) {
        EXPECT_GE(choice.expert, 0);
        ++shown;
      }
  EXPECT_LE(shown, 2u * 4);  // a place an expert, two layers
  EXPECT_GT(shown, 0u);
}

TEST(TraceText, OfNothingIsNothing) {
  Trained t(4);
  EXPECT_TRUE(trace_text(t.ctx, t.model(), {}).empty());
}

}  // namespace
}  // namespace moe
