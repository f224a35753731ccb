#include "common/data/bpe.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <queue>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

bool is_visible(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

std::uint32_t pair_key(Token left, Token right) {
  return static_cast<std::uint32_t>(left) << 16 | right;
}

std::vector<std::string> special_texts(const BpeModel& model) {
  std::vector<std::string> texts;
  for (const Token token : model.special) {
    MOE_CHECK(token < model.tokens.size(), "special token ", token);
    texts.push_back(model.tokens[token]);
  }
  return texts;
}

std::uint32_t extend_crc(std::uint32_t crc, const void* data, std::size_t bytes) {
  return static_cast<std::uint32_t>(crc32_z(crc, static_cast<const Bytef*>(data), bytes));
}

}  // namespace

char32_t symbol_of_byte(unsigned char byte) {
  if (is_visible(byte)) return byte;
  char32_t symbol = 256;
  for (int b = 0; b < byte; ++b) symbol += is_visible(b) ? 0 : 1;
  return symbol;
}

std::array<unsigned char, 256> bytes_by_symbol() {
  std::array<unsigned char, 256> bytes;
  for (std::size_t b = 0; b < 256; ++b) bytes[b] = static_cast<unsigned char>(b);
  std::stable_partition(bytes.begin(), bytes.end(), [](unsigned char b) { return is_visible(b); });
  return bytes;
}

// A word on its way from bytes to tokens: a linked list of pieces, and a heap of the merges that may come next. A merge
// whose pieces have changed since stays in the heap and is dropped when it comes up.
class BpeTokenizer::Word {
 public:
  explicit Word(const BpeTokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void encode(std::string_view word, std::vector<Token>& out) {
    const int n = static_cast<int>(word.size());
    pieces_.clear();
    for (int i = 0; i < n; ++i)
      pieces_.push_back(
          {tokenizer_.token_of_byte_[static_cast<unsigned char>(word[static_cast<std::size_t>(i)])], i - 1,
           i + 1 < n ? i + 1 : kNone});
    for (int i = 0; i + 1 < n; ++i) propose(i);
    while (!heap_.empty()) {
      const Candidate best = heap_.top();
      heap_.pop();
      if (still_there(best)) apply(best);
    }
    for (int i = 0; i != kNone; i = piece(i).next) out.push_back(static_cast<Token>(piece(i).token));
  }

 private:
  static constexpr int kNone = -1, kGone = -1;
  struct Piece {
    int token;  // kGone: part of a piece to its left
    int previous, next;
  };
  struct Candidate {
    std::uint32_t rank;
    int left;  // position
    std::uint32_t pair;
    Token result;
    bool operator>(const Candidate& o) const { return rank != o.rank ? rank > o.rank : left > o.left; }
  };

  Piece& piece(int i) { return pieces_[static_cast<std::size_t>(i)]; }
  std::uint32_t pair_at(int left) {
    return pair_key(static_cast<Token>(piece(left).token), static_cast<Token>(piece(piece(left).next).token));
  }
  void propose(int left) {
    if (left == kNone || piece(left).next == kNone) return;
    const std::uint32_t pair = pair_at(left);
    const auto found = tokenizer_.merges_.find(pair);
    if (found != tokenizer_.merges_.end()) heap_.push({found->second.rank, left, pair, found->second.result});
  }
  bool still_there(const Candidate& c) {
    return piece(c.left).token != kGone && piece(c.left).next != kNone && pair_at(c.left) == c.pair;
  }
  void apply(const Candidate& c) {
    Piece& left = piece(c.left);
    Piece& right = piece(left.next);
    left.token = c.result;
    left.next = right.next;
    right.token = kGone;
    if (left.next != kNone) piece(left.next).previous = c.left;
    propose(left.previous);
    propose(c.left);
  }

  const BpeTokenizer& tokenizer_;
  std::vector<Piece> pieces_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap_;
};

BpeTokenizer::BpeTokenizer(BpeModel model) : model_(std::move(model)), splitter_(special_texts(model_)) {
  MOE_CHECK(model_.tokens.size() <= 65536, model_.tokens.size(), " tokens");
  index_bytes();
  index_merges();
}

void BpeTokenizer::index_bytes() {
  std::array<bool, 256> known{};
  for (std::size_t id = 0; id < model_.tokens.size(); ++id) {
    if (model_.tokens[id].size() != 1) continue;
    const auto byte = static_cast<unsigned char>(model_.tokens[id][0]);
    MOE_CHECK(!known[byte], "byte ", int{byte}, " has two tokens");
    known[byte] = true;
    token_of_byte_[byte] = static_cast<Token>(id);
  }
  for (std::size_t b = 0; b < 256; ++b) MOE_CHECK(known[b], "byte ", b, " has no token");
}

void BpeTokenizer::index_merges() {
  const auto& tokens = model_.tokens;
  for (std::size_t rank = 0; rank < model_.merges.size(); ++rank) {
    const auto [left, right, result] = model_.merges[rank];
    MOE_CHECK(std::max({left, right, result}) < tokens.size(), "merge ", rank);
    MOE_CHECK(tokens[left] + tokens[right] == tokens[result], "merge ", rank, " makes other bytes");
    const Ranked ranked{static_cast<std::uint32_t>(rank), result};
    MOE_CHECK(merges_.emplace(pair_key(left, right), ranked).second, "merge ", rank, " stands there twice");
  }
}

std::string BpeTokenizer::name() const {
  std::uint32_t crc = 0;
  for (const std::string& token : model_.tokens) {
    const std::uint64_t size = token.size();  // without it ("ab", "c") and ("a", "bc") would be the same
    crc = extend_crc(extend_crc(crc, &size, sizeof size), token.data(), size);
  }
  for (const BpeMerge& m : model_.merges) crc = extend_crc(crc, &m, sizeof m);
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x", crc);
  return concat("bpe-", vocabulary(), "-", digits);
}

std::vector<Token> BpeTokenizer::encode(std::string_view text) const {
  struct Range {
    std::size_t begin, end;  // where this word's tokens already stand in the output
  };
  std::unordered_map<std::string_view, Range> done;
  std::vector<Token> out;
  Word word(*this);
  splitter_.split(text, [&](std::string_view piece, int special) {
    if (special >= 0) return out.push_back(model_.special[static_cast<std::size_t>(special)]);
    const auto [found, is_new] = done.try_emplace(piece);
    const std::size_t begin = out.size();
    if (is_new)
      word.encode(piece, out);
    else
      for (std::size_t i = found->second.begin; i < found->second.end; ++i) out.push_back(out[i]);
    if (is_new) found->second = {begin, out.size()};
  });
  return out;
}

std::string BpeTokenizer::decode(std::span<const Token> tokens) const {
  std::string text;
  for (const Token token : tokens) {
    MOE_CHECK(token < model_.tokens.size(), "token ", token, " of a vocabulary of ", vocabulary());
    text += model_.tokens[token];
  }
  return text;
}

std::int64_t BpeTokenizer::byte_count(Token token) const {
  MOE_CHECK(token < model_.tokens.size(), "token ", token, " of a vocabulary of ", vocabulary());
  return static_cast<std::int64_t>(model_.tokens[token].size());
}

}  // namespace moe
