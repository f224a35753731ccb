// Byte-level BPE (Sennrich et al. 2016; on bytes: Radford et al. 2019): a text is cut into words (bpe_split.hpp), a word
// starts as its bytes, and the pair of neighbours with the lowest rank, of several the leftmost, becomes one token until no
// pair has a merge. Ids are those of Hugging Face's tokenizers on any well-formed UTF-8.
#pragma once

#include <array>
#include <unordered_map>

#include "common/data/bpe_split.hpp"
#include "common/data/tokenizer.hpp"

namespace moe {

struct BpeMerge {
  Token left, right, result;
  bool operator==(const BpeMerge&) const = default;
};

struct BpeModel {
  std::vector<std::string> tokens;  // the bytes of every id
  std::vector<BpeMerge> merges;     // by rank
  std::vector<Token> special;       // found in the text as a whole, before it is cut into words
  bool operator==(const BpeModel&) const = default;
};

// The character that stands for a byte in files: itself where it is visible in Latin-1, else U+0100 and up.
char32_t symbol_of_byte(unsigned char byte);

// The 256 bytes by symbol: the order of ids in GPT-2's vocabulary and in new ones.
std::array<unsigned char, 256> bytes_by_symbol();

// decode(encode(x)) == x for any bytes. encode: O(n log n), each different word of a call once; no state, so that threads
// may share one. Text that spells a special token becomes it.
class BpeTokenizer final : public Tokenizer {
 public:
  // Error unless every byte has a token, every merge joins its two tokens' bytes, and no pair has two merges.
  explicit BpeTokenizer(BpeModel model);

  std::string name() const override;  // "bpe-4352-1a2b3c4d": V, and the CRC-32 of tokens and merges
  std::int64_t vocabulary() const override { return static_cast<std::int64_t>(model_.tokens.size()); }
  std::vector<Token> encode(std::string_view text) const override;
  std::string decode(std::span<const Token> tokens) const override;  // Error for an id of V or more
  std::int64_t byte_count(Token token) const override;
  const BpeModel& model() const { return model_; }

 private:
  struct Ranked {
    std::uint32_t rank;
    Token result;
  };
  class Word;
  void index_bytes();
  void index_merges();

  BpeModel model_;
  TextSplitter splitter_;
  std::array<Token, 256> token_of_byte_{};
  std::unordered_map<std::uint32_t, Ranked> merges_;  // by left << 16 | right
};

}  // namespace moe
