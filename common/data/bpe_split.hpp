// Pre-tokenisation: text cut into special tokens and words; a merge never crosses such a cut.
//
// Words are those of GPT-2's regular expression (Radford et al. 2019; Hugging Face's ByteLevel):
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// It is defined for well-formed UTF-8. Here any bytes go in: one that belongs to no character counts as [^\s\p{L}\p{N}].
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace moe {

// Bytes of the first word of `text` (not empty). The words of a text are disjoint and leave nothing out.
std::size_t word_length(std::string_view text);

// Cuts the special tokens out first (the leftmost, of several at one place the longest), then words from the rest.
class TextSplitter {
 public:
  explicit TextSplitter(std::vector<std::string> special = {});  // none of them empty

  // Calls piece(text, special) for all pieces in their order; special: its index, -1 for a word.
  void split(std::string_view text, const std::function<void(std::string_view, int)>& piece) const;

 private:
  int special_at(std::string_view text) const;

  std::vector<std::string> special_;
  std::vector<std::vector<int>> by_first_byte_;  // 256 lists, longest first; none where there are no specials
};

}  // namespace moe
