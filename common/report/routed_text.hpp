// Text with the experts that each of its tokens went to.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/app/terminal.hpp"

namespace moe {

struct Choice {
  int expert;
  double gate;
};

struct RoutedToken {
  std::string bytes;  // any: a byte, a word, a piece that begins or ends inside a character
  std::vector<std::vector<Choice>>
      layers;  // (layers, K), the largest gate first; a layer may be empty (dropped)
};

struct RoutedText {
  std::string title;  // "German"
  std::vector<RoutedToken> tokens;
};

// Tokens [first, first + count) whose bytes together are whole characters, if their bytes can be.
struct TokenGroup {
  std::size_t first, count;
  std::string bytes;
};
std::vector<TokenGroup> group_characters(std::span<const RoutedToken> tokens);

// Does `bytes` end in the middle of a character that further bytes could complete?
bool ends_inside_character(std::string_view bytes);

// The text with every group of tokens on the colour of its first token's first expert in `layer`.
std::string terminal_text(const RoutedText& text, std::size_t layer, ColourMode mode);

// <p class="tokens">: spans with the class of the first layer's expert (e0, e1, ...) and all choices in data-r, for the
// page's script: "5:61,12:39;3:100" is layer 0 experts 5 (61 %) and 12, layer 1 expert 3; "/" between the tokens of one
// group.
std::string html_text(const RoutedText& text);

}  // namespace moe
