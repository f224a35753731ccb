// The classes of characters that GPT-2's word rule tells apart: Unicode's letters (L), numbers (N), White_Space,
// and the rest, combining marks among it. A byte that starts no well-formed UTF-8 is one character of the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace moe {

enum class CharacterClass : std::uint8_t { other, letter, number, space };

struct ClassedCharacter {
  std::size_t length;  // bytes
  CharacterClass kind;
};
ClassedCharacter classify_character(std::string_view text);  // its first character; not empty

}  // namespace moe
