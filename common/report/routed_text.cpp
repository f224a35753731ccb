#include "common/report/routed_text.hpp"

#include <cmath>

#include "common/app/utf8.hpp"
#include "common/report/escape.hpp"
#include "common/report/palette.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

int first_expert(const RoutedToken& token, std::size_t layer) {  // -1: none
  return layer < token.layers.size() && !token.layers[layer].empty() ? token.layers[layer][0].expert : -1;
}

std::string choices_of(const RoutedToken& token) {
  std::string out;
  for (std::size_t l = 0; l < token.layers.size(); ++l) {
    if (l > 0) out += ';';
    for (std::size_t k = 0; k < token.layers[l].size(); ++k) {
      const Choice& choice = token.layers[l][k];
      const double percent = std::isfinite(choice.gate) ? std::round(100 * choice.gate) : 0;
      out += concat(k ? "," : "", choice.expert, ":", percent);
    }
  }
  return out;
}

// On a background, line by line: a background that runs over a line end fills the rest of the terminal's line.
std::string painted(const std::string& shown, const std::string& start, const std::string& end) {
  std::string out;
  for (std::size_t begin = 0; begin < shown.size();) {
    const std::size_t newline = std::min(shown.find('\n', begin), shown.size());
    if (newline > begin) out += start + shown.substr(begin, newline - begin) + end;
    if (newline < shown.size()) out += '\n';
    begin = newline + 1;
  }
  return out;
}

// Line ends stay line ends and become visible.
std::string visible(const std::string& bytes) {
  return replaced(html_escape(bytes), "\n", "↵\n");
}

}  // namespace

bool ends_inside_character(std::string_view bytes) {
  for (std::size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    const char c = bytes[bytes.size() - back];
    if (is_continuation(c)) continue;
    return utf8_length(static_cast<unsigned char>(c)) > back;
  }
  return false;
}

std::vector<TokenGroup> group_characters(std::span<const RoutedToken> tokens) {
  std::vector<TokenGroup> groups;
  for (std::size_t i = 0; i < tokens.size();) {
    TokenGroup group{i, 1, tokens[i].bytes};
    const auto more = [&] {
      const std::size_t next = group.first + group.count;
      return next < tokens.size() && ends_inside_character(group.bytes) && !tokens[next].bytes.empty() &&
             is_continuation(tokens[next].bytes[0]);
    };
    while (more()) group.bytes += tokens[group.first + group.count++].bytes;
    i += group.count;
    groups.push_back(std::move(group));
  }
  return groups;
}

std::string terminal_text(const RoutedText& text, std::size_t layer, ColourMode mode) {
  std::string out;
  for (const TokenGroup& group : group_characters(text.tokens)) {
    const int expert = first_expert(text.tokens[group.first], layer);
    const std::string shown = printable_utf8(group.bytes);
    if (expert < 0) {
      out += shown;
      continue;
    }
    const Rgb back = colour_of_expert(expert);
    out += painted(shown, background(back, mode) + foreground(readable_on(back), mode), reset(mode));
  }
  return out;
}

std::string html_text(const RoutedText& text) {
  std::string out = "<p class=\"tokens\">";
  for (const TokenGroup& group : group_characters(text.tokens)) {
    std::string choices;
    for (std::size_t i = group.first; i < group.first + group.count; ++i)
      choices += (i > group.first ? "/" : "") + choices_of(text.tokens[i]);
    const int expert = first_expert(text.tokens[group.first], 0);
    const std::string css = expert < 0 ? "" : concat(" class=\"e", expert, "\"");
    out += concat("<i", css, " data-r=\"", choices, "\">", visible(group.bytes), "</i>");
  }
  return out + "</p>\n";
}

}  // namespace moe
