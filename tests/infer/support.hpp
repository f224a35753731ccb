// A model that learnt a little, and what it says without a cache.
#pragma once

#include <algorithm>
#include <numeric>

#include "common/infer/generate.hpp"
#include "tests/train/support.hpp"

namespace moe::testing {

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

inline std::vector<Token> tokens_of(const std::string& text) {
  return ByteTokenizer().encode(text);
}

struct Forward {
  Tensor logits;  // (n, V)
  MetricSink metrics;
};

// One forward pass over all of the text, no cache.
inline Forward forward(Context& ctx, LanguageModel& model, std::span<const Token> text) {
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

inline Token likeliest(const Tensor& logits) {
  const std::vector<float> last = values_of<float>(logits.slice_rows(logits.rows() - 1, logits.rows()));
  return static_cast<Token>(std::max_element(last.begin(), last.end()) - last.begin());
}

inline std::vector<TracedToken> generated(Trained& t, std::span<const Token> prompt,
                                          const SampleSettings& settings) {
  std::vector<TracedToken> seen;
  generate(t.ctx, t.model(), prompt, settings, [&](const TracedToken& token) {
    seen.push_back(token);
    return true;
  });
  return seen;
}

inline std::vector<Token> ids(const std::vector<TracedToken>& traced) {
  std::vector<Token> out;
  for (const TracedToken& t : traced) out.push_back(t.token);
  return out;
}

// What generate() is to show, computed without a cache: greedy, the last half of a full context read again.
inline std::vector<Token> greedy(Trained& t, const std::vector<Token>& prompt, std::int64_t tokens) {
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

inline const SampleSettings kGreedy{.tokens = 9, .temperature = 0};

}  // namespace moe::testing
