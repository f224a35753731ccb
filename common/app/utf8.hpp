// UTF-8, as far as showing text needs it: any bytes come in, nothing throws.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace moe {

// The character at the start of `text` (not empty). Not well-formed (overlong forms and surrogates included):
// one byte, valid = false, code = that byte.
struct Utf8Char {
  std::size_t length;
  char32_t code;
  bool valid;
};
Utf8Char decode_utf8(std::string_view text);

// How many bytes a well-formed character with this first byte has; 1 for bytes that start none.
std::size_t utf8_length(unsigned char first);

// Well-formed UTF-8 without control characters: bad bytes become U+FFFD, control characters other than
// newline and tab too.
std::string printable_utf8(std::string_view bytes);

// Columns on a terminal: 2 for East Asian wide characters and emoji, 0 for combining marks, else 1. Escape
// sequences (ESC [ ... letter) take none.
int display_width(std::string_view text);

// The longest beginning of at most `columns` columns; ends in … where something was cut.
std::string truncate_to_width(std::string_view text, int columns);

// Padded with spaces to `columns`; longer text stays as it is.
std::string pad_right(std::string_view text, int columns);
std::string pad_left(std::string_view text, int columns);

}  // namespace moe
