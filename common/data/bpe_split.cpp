#include "common/data/bpe_split.hpp"

#include <algorithm>

#include "common/data/bpe_unicode.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

std::size_t contraction_length(std::string_view text) {
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (text.starts_with(ending)) return ending.size();
  return 0;
}

// \s+(?!\S)|\s+ : a run of spaces leaves its last one to the word behind it, unless it has only that one.
std::size_t space_length(std::string_view text) {
  std::size_t end = 0, last = 0;
  while (end < text.size()) {
    const ClassedCharacter c = classify_character(text.substr(end));
    if (c.kind != CharacterClass::space) return last > 0 ? last : end;
    last = end;
    end += c.length;
  }
  return end;
}

}  // namespace

std::size_t word_length(std::string_view text) {
  if (const std::size_t n = contraction_length(text)) return n;
  std::size_t end = text[0] == ' ' ? 1 : 0;
  if (end == text.size()) return end;
  const CharacterClass kind = classify_character(text.substr(end)).kind;
  if (kind == CharacterClass::space) return space_length(text);
  while (end < text.size()) {
    const ClassedCharacter c = classify_character(text.substr(end));
    if (c.kind != kind) break;
    end += c.length;
  }
  return end;
}

TextSplitter::TextSplitter(std::vector<std::string> special) : special_(std::move(special)) {
  if (!special_.empty()) by_first_byte_.resize(256);
  for (std::size_t i = 0; i < special_.size(); ++i) {
    MOE_CHECK(!special_[i].empty(), "special token ", i);
    by_first_byte_[static_cast<unsigned char>(special_[i][0])].push_back(static_cast<int>(i));
  }
  for (std::vector<int>& list : by_first_byte_)
    std::stable_sort(list.begin(), list.end(), [&](int a, int b) {
      return special_[static_cast<std::size_t>(a)].size() > special_[static_cast<std::size_t>(b)].size();
    });
}

int TextSplitter::special_at(std::string_view text) const {
  if (by_first_byte_.empty()) return -1;
  for (const int i : by_first_byte_[static_cast<unsigned char>(text[0])])
    if (text.starts_with(special_[static_cast<std::size_t>(i)])) return i;
  return -1;
}

void TextSplitter::split(std::string_view text,
                         const std::function<void(std::string_view, int)>& piece) const {
  while (!text.empty()) {
    int special = -1;
    std::size_t plain = by_first_byte_.empty() ? text.size() : 0;
    while (plain < text.size() && (special = special_at(text.substr(plain))) < 0) ++plain;
    for (std::string_view rest = text.substr(0, plain); !rest.empty();) {
      const std::size_t n = word_length(rest);
      piece(rest.substr(0, n), -1);
      rest.remove_prefix(n);
    }
    text.remove_prefix(plain);
    if (special < 0) continue;
    const std::size_t n = special_[static_cast<std::size_t>(special)].size();
    piece(text.substr(0, n), special);
    text.remove_prefix(n);
  }
}

}  // namespace moe
