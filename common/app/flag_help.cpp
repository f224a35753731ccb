#include "common/app/flag_help.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "common/app/utf8.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

constexpr int kWidth = 100;         // of the page
constexpr int kMostNameWidth = 26;  // longer names push their help to the next line

bool is_positional(const HelpEntry& entry) {
  return !entry.names.empty() && entry.names[0] != '-';
}

// "  --out, -o TEXT"
std::string left_side(const HelpEntry& entry) {
  std::string names = entry.names;
  if (entry.is_switch && entry.default_value == "on")
    names = concat("--no-", names.substr(2));  // what one would type
  std::string spaced = "  ";
  for (const char c : names) spaced += c == ',' ? std::string(", ") : std::string(1, c);
  if (is_positional(entry) || entry.placeholder.empty()) return spaced;
  return concat(spaced, ' ', entry.placeholder);
}

std::string range_of(const Limits& limits) {
  if (!limits.choices.empty()) {
    std::string out;
    for (const std::string& choice : limits.choices) out += (out.empty() ? "" : "|") + choice;
    return out;
  }
  if (std::isfinite(limits.least) && std::isfinite(limits.most))
    return concat(limits.least, "..", limits.most);
  if (std::isfinite(limits.least)) return concat("at least ", limits.least);
  if (std::isfinite(limits.most)) return concat("at most ", limits.most);
  return "";
}

std::string right_side(const HelpEntry& entry) {
  std::string notes = range_of(entry.limits);
  if (!entry.is_switch && !entry.default_value.empty())
    notes += (notes.empty() ? "" : ", ") + ("default " + entry.default_value);
  if (entry.limits.required) notes += notes.empty() ? "needed" : ", needed";
  return notes.empty() ? entry.help : entry.help + "  [" + notes + "]";
}

// Words of `text` in lines of at most `width`, those after the first indented.
std::string wrapped(const std::string& text, int indent, int width) {
  std::istringstream words(text);
  std::string out;
  int column = 0;
  for (std::string word; words >> word;) {
    const int length = display_width(word);
    if (column > 0 && column + 1 + length > width) {
      out += concat('\n', std::string(indent, ' '));
      column = 0;
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out += word;
    column += length;
  }
  return out;
}

int name_column(const HelpPage& page) {
  int width = 0;
  for (const HelpEntry& entry : page.entries) {
    const int own = entry.names.empty() ? 0 : display_width(left_side(entry));
    if (own <= kMostNameWidth) width = std::max(width, own);
  }
  return std::max(width, display_width("  --help, -h")) + 2;
}

std::string entry_text(const HelpEntry& entry, int column) {
  if (entry.names.empty()) return "\n" + entry.help + ":\n";
  std::string left = left_side(entry);
  left = display_width(left) > column - 2 ? left + "\n" + std::string(column, ' ') : pad_right(left, column);
  return left + wrapped(right_side(entry), column, kWidth - column) + "\n";
}

std::string usage_line(const HelpPage& page) {
  std::string out = "Usage: " + page.program;
  for (const HelpEntry& entry : page.entries) {
    if (!is_positional(entry)) continue;
    out += entry.limits.required ? " " + entry.names : " [" + entry.names + "]";
  }
  return out + " [flags]\n";
}

std::string examples(const HelpPage& page) {
  if (page.examples.empty()) return "";
  std::string out = "\nExamples:\n";
  std::istringstream lines(page.examples);
  for (std::string line; std::getline(lines, line);) out += "  " + line + "\n";
  return out;
}

}  // namespace

std::string render(const HelpPage& page) {
  std::ostringstream out;
  out << page.summary << "\n\n" << usage_line(page);
  const int column = name_column(page);
  if (!page.entries.empty() && !page.entries.front().names.empty()) out << "\n";
  for (const HelpEntry& entry : page.entries) out << entry_text(entry, column);
  out << "\n" << entry_text({.names = "--help,-h", .help = "this text"}, column);
  out << entry_text({.names = "--version", .help = "the version"}, column) << examples(page);
  return out.str();
}

}  // namespace moe
