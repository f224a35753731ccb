// A corpus made in memory, tiny models and training runs of a few dozen steps, for the tests of training and of generation.
#pragma once

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "common/train/trainer.hpp"
#include "kernels/base/random.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/temporary_directory.hpp"

namespace moe::testing {

inline constexpr std::int64_t kContext = 16;

// `words` in an order that depends on the seed only.
inline std::string shuffled_words(const std::vector<std::string>& words, std::size_t count,
                                  std::uint64_t seed) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += words[philox({.seed = seed}, i)[0] % words.size()];
  return text;
}

inline Domain domain_of(const std::string& name, const std::string& text) {
  DomainSource source;
  source.name = name;
  return make_domain(source, {text}, ByteTokenizer(), kContext);
}

// Two domains that share no letter: easily learnt, and a router can tell them apart.
inline Corpus small_corpus(std::uint64_t seed = 1) {
  Corpus corpus;
  corpus.domains.push_back(
      domain_of("small", shuffled_words({"the ", "moon ", "is ", "round\n"}, 1500, seed)));
  corpus.domains.push_back(
      domain_of("large", shuffled_words({"SUN;", "GLARE!", "BURN\t"}, 1200, seed + 100)));
  return corpus;
}

inline LanguageModelConfig small_config(std::int64_t experts, bool tied_head = false) {
  LanguageModelConfig c;
  c.width = 16;
  c.layers = 2;
  c.heads = 2;
  c.kv_heads = 1;
  c.head_width = 8;
  c.ffn_width = 12;
  c.context = kContext;
  c.tied_head = tied_head;
  c.moe.experts = experts;
  return c;
}

inline TrainSettings small_settings(std::int64_t steps) {
  return {.steps = steps, .sequences = 3, .length = kContext, .learning_rate = 1e-2, .seed = 5};
}

template <class T>
std::vector<T>& append(std::vector<T>& to, const std::vector<T>& more) {
  to.insert(to.end(), more.begin(), more.end());
  return to;
}

// All parameters, one after another.
inline std::vector<float> parameters_of(LanguageModel& model) {
  std::vector<float> all;
  model.visit([&](const std::string&, Parameter& p) { append(all, values_of<float>(p.value)); });
  return all;
}

// NaN payloads and signs of zero count too.
inline bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

// The UserError that `action` throws, its code first: "4: RUN has no finished checkpoint"; "" when it throws none. Any
// other exception goes through and fails the test.
template <class Action>
std::string complaint(Action&& action) {
  try {
    action();
  } catch (const UserError& error) {
    return concat(static_cast<int>(error.code()), ": ", error.what());
  }
  return "";
}

inline ::testing::AssertionResult says(const std::string& text, const std::string& code_and_colon,
                                       const std::string& part) {
  if (text.starts_with(code_and_colon) && text.find(part) != std::string::npos)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "expected exit code " << code_and_colon << " and \"" << part
                                       << "\" in: " << (text.empty() ? "(no complaint)" : text);
}

}  // namespace moe::testing
