// Tokenizer: text to token ids and back. Bytes here, a merged vocabulary in bpe.hpp; corpus and batches see ids, and how many
// bytes of text each id stands for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moe {

using Token = std::uint16_t;  // vocabularies of up to 65,536: half the memory of an int

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual std::string name() const = 0;         // goes into the fingerprint: "byte"
  virtual std::int64_t vocabulary() const = 0;  // V: ids are 0 .. V-1
  virtual std::vector<Token> encode(std::string_view text) const = 0;
  virtual std::string decode(std::span<const Token> tokens) const = 0;
  virtual std::int64_t byte_count(
      Token token) const = 0;  // for bits per byte, which compares across tokenizers
};

// Any bytes, V = 256: token and byte are one. decode(encode(x)) == x; decode throws Error for an id above
// 255.
class ByteTokenizer final : public Tokenizer {
 public:
  std::string name() const override { return "byte"; }
  std::int64_t vocabulary() const override { return 256; }
  std::vector<Token> encode(std::string_view text) const override;
  std::string decode(std::span<const Token> tokens) const override;
  std::int64_t byte_count(Token) const override { return 1; }
};

}  // namespace moe
