// tokenizer.json, and GPT-2's pair of files.
#include "common/io/tokenizer_json.hpp"

#include <nlohmann/json.hpp>

#include "common/data/bpe_train.hpp"
#include "tests/fuzz/targets.hpp"

namespace moe::fuzz {
namespace {

constexpr char kBetween = '\x01';

BpeModel small_model(std::vector<std::string> special) {
  const std::string_view text = "the other \xC3\xA9t\xC3\xA9 the other \xC3\xA9t\xC3\xA9";
  return train_bpe(std::span(&text, 1), {.vocabulary = 262 + static_cast<std::int64_t>(special.size()),
                                         .special = std::move(special)});
}

// Without white space, so that a fuzzer's changes meet what counts.
std::string compact(const BpeModel& model) {
  return nlohmann::ordered_json::parse(to_tokenizer_json(model)).dump();
}

std::string merges_as_pairs(const BpeModel& model) {
  auto document = nlohmann::ordered_json::parse(to_tokenizer_json(model));
  for (auto& merge : document["model"]["merges"]) {
    const std::string text = merge.get<std::string>();
    const std::size_t space = text.find(' ');
    merge = {text.substr(0, space), text.substr(space + 1)};
  }
  return document.dump();
}

std::string two_files(const BpeModel& model) {
  const auto document = nlohmann::ordered_json::parse(to_tokenizer_json(model));
  std::string text = "V" + document["model"]["vocab"].dump() + kBetween + "#version: 0.2\n";
  for (const auto& merge : document["model"]["merges"]) text += merge.get<std::string>() + "\n";
  return text;
}

BpeModel parse(std::string_view input) {
  if (!input.starts_with('V')) return parse_tokenizer_json(input, "fuzz");
  const std::size_t between = std::min(input.find(kBetween), input.size());
  return parse_vocab_and_merges(input.substr(1, between - 1),
                                input.substr(std::min(between + 1, input.size())), "vocab", "merges");
}

}  // namespace

bool run_tokenizer(std::string_view input) {
  const BpeModel model = parse(input);
  MOE_CHECK(parse_tokenizer_json(to_tokenizer_json(model), "again") == model, "written and read again");
  const BpeTokenizer tokenizer(model);
  const std::vector<Token> tokens = tokenizer.encode(input);
  MOE_CHECK(tokenizer.decode(tokens) == input, "encoded and decoded");
  std::int64_t bytes = 0;
  for (const Token token : tokens) bytes += tokenizer.byte_count(token);
  MOE_CHECK(bytes == static_cast<std::int64_t>(input.size()), bytes, " bytes of ", input.size());
  return true;
}

std::vector<std::string> tokenizer_seeds() {
  const BpeModel plain = small_model({}), special = small_model({"<|endoftext|>", "<pad>"});
  return {compact(special), compact(plain), merges_as_pairs(special), two_files(special), two_files(plain)};
}

}  // namespace moe::fuzz
