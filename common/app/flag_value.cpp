#include "common/app/flag_value.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <type_traits>
#include <utility>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

template <class T>
struct Traits {  // a plain value
  using Element = T;
  static constexpr bool many = false;
};
template <class T>
struct Traits<std::vector<T>> {
  using Element = T;
  static constexpr bool many = true;
};
template <class T>
struct Traits<std::optional<T>> {
  using Element = T;
  static constexpr bool many = false;
};

std::string join(const std::vector<std::string>& words, const std::string& between_words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between_words) + word;
  return out;
}

template <class T>
std::string check_range(T value, const Limits& limits) {
  const auto x = static_cast<double>(value);
  if (!std::isfinite(x)) return "must be a finite number";
  if (x < limits.least) return concat("must be at least ", limits.least, ", not ", value);
  if (x > limits.most) return concat("must be at most ", limits.most, ", not ", value);
  return "";
}

template <class T>
std::string read(const std::string& text, T& value, const Limits& limits) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) return "is too large: " + text;
  if (error != std::errc() || stop != end)
    return (std::is_integral_v<T> ? "is no whole number: " : "is no number: ") + text;
  return check_range(value, limits);
}

std::string read(const std::string& text, std::string& value, const Limits& limits) {
  const auto& all = limits.choices;
  if (!all.empty() && std::find(all.begin(), all.end(), text) == all.end())
    return "is " + join(all, " or ") + ", not " + text;
  value = text;
  return "";
}

std::string read(const std::string& text, bool& value, const Limits&) {
  for (const char* yes : {"true", "on", "yes", "1"})
    if (text == yes) return value = true, "";
  for (const char* no : {"false", "off", "no", "0"})
    if (text == no) return value = false, "";
  return "is true or false, not " + text;
}

std::vector<std::string> split_at_commas(std::span<const std::string> texts) {
  std::vector<std::string> out;
  for (const std::string& text : texts) {
    std::size_t begin = 0;
    for (std::size_t comma; (comma = text.find(',', begin)) != std::string::npos; begin = comma + 1)
      out.push_back(text.substr(begin, comma - begin));
    out.push_back(text.substr(begin));
  }
  return out;
}

template <class T>
std::string read_all(std::span<const std::string> texts, std::vector<T>& values, const Limits& limits) {
  std::vector<std::string> parts(texts.begin(), texts.end());
  if constexpr (std::is_arithmetic_v<T>) parts = split_at_commas(texts);
  std::vector<T> fresh(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (std::string wrong = read(parts[i], fresh[i], limits); !wrong.empty()) return wrong;
  values = std::move(fresh);
  return "";
}

std::string text_of(bool x) {
  return x ? "on" : "off";
}
std::string text_of(const std::string& x) {
  return x;
}
template <class T>
requires std::is_arithmetic_v<T> std::string text_of(T x) {
  char buffer[64];  // the shortest text that reads back as the same number
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, x).ptr;
  return {buffer, end};
}
template <class T>
std::string text_of(const std::optional<T>& x) {
  return x ? text_of(*x) : "";
}
template <class T>
std::string text_of(const std::vector<T>& x) {
  std::vector<std::string> words;
  for (const T& element : x) words.push_back(text_of(element));
  return join(words, ",");
}

std::size_t edits_between(const std::string& a,
                          const std::string& b) {  // Levenshtein's distance, one row at a time
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

}  // namespace

std::string assign(const FlagTarget& target, std::span<const std::string> texts, const Limits& limits) {
  MOE_CHECK(!texts.empty(), "no value");
  return std::visit(
      [&]<class T>(T* value) -> std::string {
        if constexpr (Traits<T>::many) {
          return read_all(texts, *value, limits);
        } else {
          typename Traits<T>::Element fresh{};
          std::string wrong = read(texts.back(), fresh, limits);
          if (wrong.empty()) *value = fresh;
          return wrong;
        }
      },
      target);
}

std::string show(const FlagTarget& target) {
  return std::visit([](const auto* value) { return text_of(*value); }, target);
}

std::string placeholder(const FlagTarget& target) {
  return std::visit(
      []<class T>(T*) -> std::string {
        using Element = typename Traits<T>::Element;
        if constexpr (std::is_same_v<Element, bool>) return "";
        const std::string name = std::is_same_v<Element, std::string> ? "TEXT"
                                 : std::is_integral_v<Element>        ? "N"
                                                                      : "X";
        return Traits<T>::many ? name + "..." : name;
      },
      target);
}

bool is_switch(const FlagTarget& target) {
  return std::holds_alternative<bool*>(target);
}

std::string most_similar(const std::string& word, std::span<const std::string> candidates) {
  std::string best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t edits = edits_between(word, candidate);
    if (edits >= least) continue;
    least = edits;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string nearest = most_similar(std::string(word), candidates);
  return nearest.empty() ? "" : concat("Did you mean '", nearest, "'? ");
}

}  // namespace moe
