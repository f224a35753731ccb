#include "common/data/bpe_train.hpp"

#include <algorithm>
#include <limits>
#include <queue>
#include <unordered_set>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

using Position = std::uint32_t;
using PairKey = std::uint32_t;  // left << 16 | right: ordered as the pairs are
constexpr Position kNone = std::numeric_limits<Position>::max();
constexpr int kGone = -1;

PairKey key_of(int left, int right) {
  return static_cast<PairKey>(left) << 16 | static_cast<PairKey>(right);
}

// All different words behind one another; a merged piece stands where its first byte stood.
struct Pieces {
  std::vector<int> token;  // kGone: part of a piece to its left
  std::vector<Position> previous, next, word;
  std::vector<std::int64_t> word_count;  // how often the text has that word

  explicit Pieces(const std::unordered_map<std::string_view, std::int64_t>& words) {
    std::array<int, 256> id_of_byte{};
    const auto order = bytes_by_symbol();
    for (int id = 0; id < 256; ++id) id_of_byte[order[static_cast<std::size_t>(id)]] = id;
    std::size_t bytes = 0;
    for (const auto& [text, count] : words) bytes += text.size();
    MOE_CHECK(bytes < kNone, "different words of ", bytes, " bytes");
    for (const auto& [text, count] : words) {
      const auto begin = static_cast<Position>(token.size()),
                 end = begin + static_cast<Position>(text.size());
      for (Position p = begin; p < end; ++p) {
        token.push_back(id_of_byte[static_cast<unsigned char>(text[p - begin])]);
        previous.push_back(p == begin ? kNone : p - 1);
        next.push_back(p + 1 == end ? kNone : p + 1);
        word.push_back(static_cast<Position>(word_count.size()));
      }
      word_count.push_back(count);
    }
  }
};

class BpeTrainer {
 public:
  BpeTrainer(const std::unordered_map<std::string_view, std::int64_t>& words, std::int64_t least_count)
      : pieces_(words), least_count_(least_count) {
    for (const unsigned char byte : bytes_by_symbol()) add_token(std::string(1, static_cast<char>(byte)));
    for (Position p = 0; p < pieces_.token.size(); ++p)
      if (pieces_.next[p] != kNone)
        grow(key_of(pieces_.token[p], pieces_.token[p + 1]), pieces_.word_count[pieces_.word[p]], p);
    queue_grown();
  }

  void learn(std::size_t tokens, const std::function<void(std::int64_t)>& on_token) {
    while (model.tokens.size() < tokens && !queue_.empty()) {
      const Queued best = queue_.top();
      queue_.pop();
      const auto pair = pairs_.find(best.pair);
      if (pair == pairs_.end() || pair->second.count < least_count_) continue;
      if (pair->second.count != best.count) {  // rarer than when it was queued
        queue_.push({pair->second.count, best.pair});
        continue;
      }
      merge(best.pair);
      if (on_token) on_token(static_cast<std::int64_t>(model.tokens.size()));
    }
  }

  BpeModel model;

 private:
  struct Pair {
    std::int64_t count = 0;
    bool grown = false;
    std::vector<Position> where;  // of its left piece; places that have changed since among them
  };
  struct Queued {
    std::int64_t count;
    PairKey pair;
    bool operator<(const Queued& o) const { return count != o.count ? count < o.count : pair > o.pair; }
  };

  Token add_token(const std::string& bytes) {
    const auto [found, is_new] = id_of_.try_emplace(bytes, static_cast<Token>(model.tokens.size()));
    if (is_new) model.tokens.push_back(bytes);
    return found->second;
  }

  void grow(PairKey key, std::int64_t count, Position where) {
    Pair& pair = pairs_[key];
    pair.count += count;
    pair.where.push_back(where);
    if (!pair.grown) grown_.push_back(key);
    pair.grown = true;
  }
  void shrink(PairKey key, std::int64_t count) { pairs_[key].count -= count; }

  void queue_grown() {
    for (const PairKey key : grown_) {
      Pair& pair = pairs_[key];
      pair.grown = false;
      queue_.push({pair.count, key});
    }
    grown_.clear();
  }

  void merge(PairKey key) {
    const auto left = static_cast<Token>(key >> 16), right = static_cast<Token>(key & 0xFFFF);
    const Token result = add_token(model.tokens[left] + model.tokens[right]);
    if (merged_.insert(key).second) model.merges.push_back({left, right, result});
    std::vector<Position> where = std::move(pairs_[key].where);
    std::sort(where.begin(), where.end());  // so that "aaa" is merged from its left
    for (const Position p : where) join(p, left, right, result);
    MOE_CHECK(pairs_[key].count == 0, "pairs counted ", pairs_[key].count, " too often");
    pairs_.erase(key);
    queue_grown();
  }

  void join(Position p, int left, int right, int result) {
    const Position q = pieces_.next[p];
    if (pieces_.token[p] != left || q == kNone || pieces_.token[q] != right) return;
    const std::int64_t count = pieces_.word_count[pieces_.word[p]];
    const Position before = pieces_.previous[p], after = pieces_.next[q];
    shrink(key_of(left, right), count);
    if (before != kNone) {
      shrink(key_of(pieces_.token[before], left), count);
      grow(key_of(pieces_.token[before], result), count, before);
    }
    if (after != kNone) {
      shrink(key_of(right, pieces_.token[after]), count);
      grow(key_of(result, pieces_.token[after]), count, p);
      pieces_.previous[after] = p;
    }
    pieces_.token[p] = result;
    pieces_.next[p] = after;
    pieces_.token[q] = kGone;
  }

  Pieces pieces_;
  std::int64_t least_count_;
  std::unordered_map<PairKey, Pair> pairs_;
  std::unordered_set<PairKey> merged_;
  std::vector<PairKey> grown_;
  std::priority_queue<Queued> queue_;
  std::unordered_map<std::string, Token> id_of_;
};

void check_options(const BpeTrainOptions& options) {
  const std::int64_t least = 256 + static_cast<std::int64_t>(options.special.size());
  if (options.vocabulary < least || options.vocabulary > 65536)
    throw UserError(ExitCode::usage, concat("a vocabulary of ", options.vocabulary, " tokens"),
                    concat("choose ", least, " (bytes and special tokens) to 65536"));
  std::vector<std::string> sorted = options.special;
  std::sort(sorted.begin(), sorted.end());
  const bool twice = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
  for (const std::string& text : sorted)
    if (twice || text.size() < 2 ||
        std::any_of(text.begin(), text.end(), [](char c) { return c < '!' || c > '~'; }))
      throw UserError(ExitCode::usage, "special token '" + text + "'",
                      "give each once, two or more visible ASCII characters: <|endoftext|>");
}

}  // namespace

BpeModel train_bpe(std::span<const std::string_view> texts, const BpeTrainOptions& options) {
  check_options(options);
  // No merge can spell a special token: the words are what lies between them.
  const TextSplitter splitter(options.special);
  std::unordered_map<std::string_view, std::int64_t> words;
  for (const std::string_view text : texts)
    splitter.split(text, [&](std::string_view piece, int special) {
      if (special < 0) ++words[piece];
    });
  BpeTrainer trainer(words, std::max<std::int64_t>(1, options.least_count));
  trainer.learn(static_cast<std::size_t>(options.vocabulary) - options.special.size(), options.on_token);
  BpeModel model = std::move(trainer.model);
  for (const std::string& text : options.special) {
    model.special.push_back(static_cast<Token>(model.tokens.size()));
    model.tokens.push_back(text);
  }
  return model;
}

}  // namespace moe
