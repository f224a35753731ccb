#include "common/data/strip.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace moe {
namespace {

// f(line) for each line, without its end.
template <class F>
void for_each_line(std::string_view text, F&& f) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    f(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void append_line(std::string& out, std::string_view line) {
  out.append(line).push_back('\n');
}

std::string_view trim_right(std::string_view s) {
  return s.substr(0, s.find_last_not_of(" \t\r") + 1);
}

std::string_view trim(std::string_view s) {
  s = trim_right(s);
  return s.substr(std::min(s.find_first_not_of(" \t"), s.size()));
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "1. GNU/Linux tutorials", "    A.1.2. The maze": an entry of a table of contents, or a heading.
bool is_numbered(std::string_view line) {
  line = trim(line);
  const std::size_t end = line.find(' ');
  if (end == std::string_view::npos || end < 2 || line[end - 1] != '.') return false;
  const bool appendix = line[0] >= 'A' && line[0] <= 'Z' && line[1] == '.';
  const auto number = line.substr(0, end);
  return (appendix || is_digit(line[0])) &&
         std::all_of(number.begin() + 1, number.end(), [](char c) { return is_digit(c) || c == '.'; });
}

using Paragraph = std::vector<std::string>;

// A heading stands alone; two numbered lines in a row are a table of contents.
bool is_contents(const Paragraph& lines) {
  const auto numbered = static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), is_numbered));
  return numbered >= 2 && 2 * numbered >= lines.size();
}

bool is_rule(std::string_view line) {
  return trim(line).find_first_not_of("-=+|") == std::string_view::npos;
}

// Of "|a  |b  |" the "b"; other lines lose the book's body indentation of four.
std::string_view text_of_line(std::string_view line) {
  const std::string_view row = trim(line);
  if (row.size() >= 2 && row.front() == '|' && row.back() == '|') {
    const std::size_t bar = row.rfind('|', row.size() - 2);
    return trim(row.substr(bar + 1, row.size() - bar - 2));
  }
  return line.substr(std::min<std::size_t>({line.find_first_not_of(' '), line.size(), 4}));
}

void append_paragraph(std::string& out, const Paragraph& lines) {
  if (is_contents(lines)) return;
  const std::size_t before = out.size();
  for (const std::string& line : lines) {
    if (is_rule(line)) continue;
    const std::string_view text = text_of_line(line);
    if (!text.empty()) append_line(out, text);
  }
  if (out.size() > before) out.push_back('\n');
}

// U+00A0 serves as indentation in places.
std::string with_plain_spaces(std::string_view line) {
  constexpr std::string_view kNoBreakSpace = "\u00A0";
  std::string plain;
  for (std::size_t at; (at = line.find(kNoBreakSpace)) != std::string_view::npos;) {
    plain.append(line.substr(0, at)).push_back(' ');
    line.remove_prefix(at + kNoBreakSpace.size());
  }
  plain.append(trim_right(line));
  return plain;
}

}  // namespace

std::string keep_all(std::string_view text) {
  return std::string(text);
}

std::string strip_leading_comments(std::string_view source) {
  for (;;) {
    const std::size_t code = source.find_first_not_of(" \t\r\n");
    if (code == std::string_view::npos) return {};
    const std::string_view mark = source.substr(code, 2);
    if (mark != "//" && mark != "/*") break;
    const std::string_view closing = mark == "//" ? "\n" : "*/";
    const std::size_t end = source.find(closing, code + 2);
    if (end == std::string_view::npos) return {};
    source.remove_prefix(end + closing.size());
  }
  const std::size_t code = source.find_first_not_of("\r\n");  // keep the first line's own indentation
  return std::string(source.substr(code));
}

std::string strip_to_gloss(std::string_view data) {
  std::string out;
  out.reserve(data.size() / 2);
  for_each_line(data, [&](std::string_view line) {
    const std::size_t bar = line.find(" | ");
    if (bar != std::string_view::npos && line[0] != ' ') append_line(out, trim(line.substr(bar + 3)));
  });
  return out;
}

std::string strip_verse_reference(std::string_view verses) {
  std::string out;
  out.reserve(verses.size());
  for_each_line(verses, [&](std::string_view line) {
    const std::size_t end = line.find(' ');
    const bool reference =
        end != std::string_view::npos && line.substr(0, end).find(':') != std::string_view::npos;
    append_line(out, trim_right(reference ? line.substr(end + 1) : line));
  });
  return out;
}

std::string strip_layout(std::string_view book) {
  std::string out;
  out.reserve(book.size());
  Paragraph paragraph;
  const auto finish = [&] {
    append_paragraph(out, paragraph);
    paragraph.clear();
  };
  for_each_line(book, [&](std::string_view raw) {
    std::string line = with_plain_spaces(raw);
    if (trim(line).empty()) return finish();
    paragraph.push_back(std::move(line));
  });
  finish();
  return out;
}

}  // namespace moe
