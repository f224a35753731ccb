// Numbers as text that reads back to the same number: a checkpoint compares settings by it.
#pragma once

#include <charconv>
#include <string>

namespace moe {

// The shortest such text: 0.1 is "0.1", 1/3.0 has all its digits.
template <class Number>
std::string exact_text(Number value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

}  // namespace moe
