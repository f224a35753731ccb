#include "common/io/tokenizer_choice.hpp"

#include <charconv>

#include "common/app/progress.hpp"
#include "common/data/bpe_train.hpp"
#include "common/io/tokenizer_json.hpp"

namespace moe {
namespace {

constexpr std::string_view kLearn = "bpe:";
constexpr std::int64_t kLeast = 257, kMost = 65536;  // bytes and one special token; ids of 16 bits

std::int64_t vocabulary_of(std::string_view number) {
  std::int64_t v = 0;
  const char* end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, v);
  if (error != std::errc() || stop != end || v < kLeast || v > kMost)
    throw UserError(ExitCode::usage, concat("--tokenizer bpe:", number, ": no number of tokens"),
                    concat("choose ", kLeast, " to ", kMost, ", as in --tokenizer bpe:4096"));
  return v;
}

std::shared_ptr<const Tokenizer> learn(std::span<const std::string_view> training, std::int64_t vocabulary,
                                       bool quiet) {
  BpeTrainOptions options{.vocabulary = vocabulary};
  Progress progress(vocabulary - static_cast<std::int64_t>(options.special.size()),
                    {.quiet = quiet, .unit = "vocabulary: token", .start = 256});
  options.on_token = [&](std::int64_t tokens) { progress.update(tokens, {}); };
  return std::make_shared<BpeTokenizer>(train_bpe(training, options));
}

}  // namespace

TokenizerMaker tokenizer_maker(const std::string& choice, bool quiet) {
  if (choice == "byte") return make_byte_tokenizer;
  if (choice.starts_with(kLearn))
    return [v = vocabulary_of(std::string_view(choice).substr(kLearn.size())), quiet](auto training) {
      return learn(training, v, quiet);
    };
  std::shared_ptr<const Tokenizer> tokenizer = std::make_shared<BpeTokenizer>(read_tokenizer(choice));
  return [tokenizer](auto) { return tokenizer; };
}

}  // namespace moe
