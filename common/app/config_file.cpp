#include "common/app/config_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

// Reads the values of one line from left to right.
class ValueReader {
 public:
  ValueReader(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

  std::vector<std::string> values() {
    std::vector<std::string> out;
    skip_blanks();
    if (peek() != '[') {
      out.push_back(one(""));
    } else {
      ++at_;
      for (skip_blanks(); peek() != ']'; skip_blanks()) {
        out.push_back(one(",]"));
        skip_blanks();
        if (peek() == ',')
          ++at_;
        else if (peek() != ']')
          fail("a list that is not closed by ] on its line");
      }
      ++at_;
    }
    skip_blanks();
    if (peek() != '\0' && peek() != '#') fail(concat("something after the value: ", text_.substr(at_)));
    return out;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_blanks() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\r') ++at_;
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw UserError(ExitCode::bad_file, where_ + what, "Lines are `key = value`.");
  }

  std::string one(std::string_view ends) {
    const char quote = peek();
    if (quote == '"' || quote == '\'') {
      const std::size_t close = text_.find(quote, at_ + 1);
      if (close == std::string_view::npos) fail("a quote that is not closed");
      const std::string value(text_.substr(at_ + 1, close - at_ - 1));
      at_ = close + 1;
      return value;
    }
    const std::size_t stop = std::min(text_.find_first_of(std::string(ends) + "#", at_), text_.size());
    std::string value = trimmed(text_.substr(at_, stop - at_));
    if (value.empty()) fail("a key without a value");
    at_ = stop;
    return value;
  }

  std::string_view text_;
  std::string where_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Setting> parse_config(const std::string& text, const std::string& path) {
  std::vector<Setting> settings;
  std::istringstream in(text);
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    line = trimmed(line);
    if (line.empty() || line[0] == '#') continue;
    const std::string where = concat(path, ":", number, ": ");
    const std::size_t equals = line.find('=');
    std::string key = trimmed(line.substr(0, equals));
    if (equals == std::string::npos || key.empty())
      throw UserError(ExitCode::bad_file, where + "no `key = value`: " + line, "A comment starts with #.");
    std::replace(key.begin(), key.end(), '_', '-');
    const std::string_view rest = std::string_view(line).substr(equals + 1);
    settings.push_back({key, ValueReader(rest, where).values(), number});
  }
  return settings;
}

std::vector<Setting> read_config_file(const std::string& path) {
  std::ifstream in(path);
  if (!in.is_open() || std::filesystem::is_directory(path))  // a directory opens, and fails when it is read
    throw UserError(ExitCode::bad_file,
                    concat("cannot read ", path,
                           in.is_open() ? ": it is a directory" : concat(": ", std::strerror(errno))),
                    "Is it a file?");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  return parse_config(text, path);
}

}  // namespace moe
