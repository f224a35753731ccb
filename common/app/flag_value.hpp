// Values of flags and settings: from text, with limits, and back to text.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace moe {

// What a value must satisfy beyond its type. Numbers are always finite.
struct Limits {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices{};
  bool required = false;
};
inline Limits between(double least, double most) {
  return {.least = least, .most = most};
}
inline Limits at_least(double least) {
  return {.least = least};
}
inline Limits one_of(std::vector<std::string> choices) {
  return {.choices = std::move(choices)};
}
inline Limits required() {
  return {.required = true};
}

// Where a value goes.
using FlagTarget =
    std::variant<bool*, int*, std::int64_t*, std::uint64_t*, float*, double*, std::string*,
                 std::vector<std::string>*, std::vector<int>*, std::vector<double>*, std::optional<int>*,
                 std::optional<std::int64_t>*, std::optional<double>*, std::optional<std::string>*>;

// Takes the last of `texts`; a vector takes them all, and splits numbers at commas. Returns what is wrong, ""
// when nothing is: "is no whole number: 3.5", "must be at most 64, not 65", "is topk or switch, not tpok".
std::string assign(const FlagTarget& target, std::span<const std::string> texts, const Limits& limits);

// The value as text; "" for an empty optional or vector, "on" and "off" for bool.
std::string show(const FlagTarget& target);

// "N", "X", "TEXT", "" for bool; a vector's with "...".
std::string placeholder(const FlagTarget& target);

bool is_switch(const FlagTarget& target);  // bool: takes no value

// The candidate with the fewest edits from `word`, if they are at most a third of its length; else "".
std::string most_similar(const std::string& word, std::span<const std::string> candidates);

// "Did you mean 'list'? ", or "" when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace moe
