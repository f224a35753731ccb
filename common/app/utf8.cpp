#include "common/app/utf8.hpp"

#include <algorithm>
#include <iterator>

namespace moe {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "…";

struct Interval {
  char32_t first, last;
};

template <std::size_t N>
bool within(const Interval (&table)[N], char32_t code) {
  return std::any_of(std::begin(table), std::end(table),
                     [code](const Interval& i) { return i.first <= code && code <= i.last; });
}

// The blocks that terminals draw two columns wide, and those they draw on top of the character before.
constexpr Interval kWide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},  {0x3041, 0x33FF}, {0x3400, 0x4DBF},
                              {0x4E00, 0x9FFF},   {0xA000, 0xA4CF},  {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},
                              {0xFE30, 0xFE4F},   {0xFF00, 0xFF60},  {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
                              {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};
constexpr Interval kCombining[] = {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x20D0, 0x20FF},
                                   {0x200B, 0x200F}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}};

int width_of(char32_t code) {
  return within(kCombining, code) ? 0 : within(kWide, code) ? 2 : 1;
}

// Bytes of the escape sequence at the start of `text`; 0 when there is none.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2 || text[0] != '\033' || text[1] != '[') return 0;
  for (std::size_t i = 2; i < text.size(); ++i)
    if (text[i] >= '@' && text[i] <= '~') return i + 1;
  return text.size();
}

bool is_well_formed(char32_t code, std::size_t length) {
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // a smaller code in so many bytes is overlong
  return code >= kLeast[length] && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
}

}  // namespace

std::size_t utf8_length(unsigned char first) {
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 1;
}

Utf8Char decode_utf8(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const Utf8Char bad{1, first, false};
  if (first < 0x80) return {1, first, true};
  const std::size_t length = utf8_length(first);
  if (length == 1 || text.size() < length) return bad;
  char32_t code = first & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0) != 0x80) return bad;
    code = code << 6 | (next & 0x3F);
  }
  return is_well_formed(code, length) ? Utf8Char{length, code, true} : bad;
}

std::string printable_utf8(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size();) {
    const Utf8Char c = decode_utf8(bytes.substr(i));
    const bool control = c.code < 0x20 ? c.code != '\n' && c.code != '\t' : c.code >= 0x7F && c.code < 0xA0;
    out += c.valid && !control ? bytes.substr(i, c.length) : kReplacement;
    i += c.length;
  }
  return out;
}

int display_width(std::string_view text) {
  int width = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t skip = escape_length(text.substr(i))) {
      i += skip;
      continue;
    }
    const Utf8Char c = decode_utf8(text.substr(i));
    width += c.valid ? width_of(c.code) : 1;
    i += c.length;
  }
  return width;
}

std::string truncate_to_width(std::string_view text, int columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns <= 0) return "";
  int width = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t skip = escape_length(text.substr(i));
    const std::size_t length = skip ? skip : decode_utf8(text.substr(i)).length;
    width += display_width(text.substr(i, length));
    if (width > columns - 1) break;  // one column for the ellipsis
    i += length;
  }
  return std::string(text.substr(0, i)) += kEllipsis;
}

std::string pad_right(std::string_view text, int columns) {
  return std::string(text) + std::string(std::max(0, columns - display_width(text)), ' ');
}

std::string pad_left(std::string_view text, int columns) {
  return std::string(std::max(0, columns - display_width(text)), ' ') += text;
}

}  // namespace moe
