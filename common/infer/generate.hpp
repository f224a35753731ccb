// Text from a model, token by token with a KV cache, and which experts each token visited.
#pragma once

#include <functional>
#include <span>

#include "common/data/tokenizer.hpp"
#include "common/nn/language_model.hpp"
#include "common/report/routed_text.hpp"

namespace moe {

struct TracedToken {
  Token token;
  std::vector<std::vector<Choice>>
      layers;  // [MoE layer][k], best first, without dropped ones; empty for a dense model
};

struct SampleSettings {
  std::int64_t tokens = 200;  // how many to make
  double temperature = 0.8;   // 0: always the likeliest
  double top_p = 0.95;        // from the smallest set of tokens with this probability (Holtzman 2019)
  std::uint64_t seed = 1;
  std::int64_t vocabulary = 0;  // only ids below it, for a model with more of them than its tokenizer; 0: all
};

// Continues `prompt` (at least one token; its last context-1 tokens are used). `on_token` sees every token with its experts
// as soon as the model has processed it: those of the prompt first; the very last token is made but not processed, and comes
// without experts. Returning false stops. When the context is full, the last half of it is read again and goes on.
void generate(Context& ctx, LanguageModel& model, std::span<const Token> prompt,
              const SampleSettings& settings, const std::function<bool(const TracedToken&)>& on_token);

// What reports show of a token.
inline RoutedToken routed_token(const Tokenizer& tokenizer, const TracedToken& t) {
  return {tokenizer.decode({&t.token, 1}), t.layers};
}

// Which experts each token of a text visits, read in windows of the model's context.
std::vector<TracedToken> trace_text(Context& ctx, LanguageModel& model, std::span<const Token> text);

}  // namespace moe
