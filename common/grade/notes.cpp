#include "common/grade/notes.hpp"

#include <sstream>

namespace moe::grade {

std::string to_text(const Notes& notes) {
  std::string text;
  for (const auto& [name, value] : notes) text += name + "\t" + value + "\n";
  return text;
}

Notes parse_notes(const std::string& text) {
  Notes notes;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (const std::size_t tab = line.find('\t'); tab != std::string::npos)
      notes.emplace_back(line.substr(0, tab), line.substr(tab + 1));
  return notes;
}

}  // namespace moe::grade
