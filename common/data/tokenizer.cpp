#include "common/data/tokenizer.hpp"

#include "kernels/base/check.hpp"

namespace moe {

std::vector<Token> ByteTokenizer::encode(std::string_view text) const {
  std::vector<Token> tokens(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) tokens[i] = static_cast<unsigned char>(text[i]);
  return tokens;
}

std::string ByteTokenizer::decode(std::span<const Token> tokens) const {
  std::string text(tokens.size(), '\0');
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    MOE_CHECK(tokens[i] < 256, "token ", tokens[i], " is no byte");
    text[i] = static_cast<char>(tokens[i]);
  }
  return text;
}

}  // namespace moe
