#include "common/io/tokenizer_symbols.hpp"

#include <algorithm>
#include <array>

#include "common/app/utf8.hpp"
#include "common/io/file.hpp"

namespace moe {
namespace {

constexpr const char* kRemedy =
    "give the tokenizer.json of a byte-level BPE, or train one: moe tokenizer train";
constexpr std::size_t kMostTokens = 65536;  // a Token has 16 bits

}  // namespace

std::string symbols_of_bytes(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    const char32_t symbol = symbol_of_byte(static_cast<unsigned char>(byte));
    if (symbol >= 0x80) text.push_back(static_cast<char>(0xC0 | symbol >> 6));
    text.push_back(static_cast<char>(symbol < 0x80 ? symbol : 0x80 | (symbol & 0x3F)));
  }
  return text;
}

std::optional<std::string> bytes_of_symbols(std::string_view symbols) {
  static const std::array<int, 0x144> kBytes = [] {
    std::array<int, 0x144> bytes;
    bytes.fill(-1);
    for (int b = 0; b < 256; ++b) bytes[symbol_of_byte(static_cast<unsigned char>(b))] = b;
    return bytes;
  }();
  std::string bytes;
  while (!symbols.empty()) {
    const Utf8Char c = decode_utf8(symbols);
    if (!c.valid || c.code >= kBytes.size() || kBytes[c.code] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(kBytes[c.code]));
    symbols.remove_prefix(c.length);
  }
  return bytes;
}

void VocabularyReader::refuse(const std::string& what) const {
  bad_file(source_, what, kRemedy);
}

void VocabularyReader::add_token(const std::string& text, std::uint64_t id) {
  if (text.empty()) refuse(concat("token ", id, " is empty"));
  if (id >= kMostTokens)
    refuse(concat("token ", quote(text), " has id ", id, "; at most ", kMostTokens, " tokens are read"));
  const auto [known, is_new] = id_of_.try_emplace(text, static_cast<Token>(id));
  if (!is_new && known->second != id)
    refuse(concat("token ", quote(text), " has two ids, ", known->second, " and ", id));
}

void VocabularyReader::add_special(const std::string& text, std::uint64_t id, const std::string& where) {
  if (text.size() < 2) refuse(where + ": " + quote(text) + " is too short for an added token");
  add_token(text, id);
  const auto token = static_cast<Token>(id);
  if (std::find(special_.begin(), special_.end(), token) != special_.end())
    refuse(where + ": " + quote(text) + " for the second time");
  special_.push_back(token);
}

void VocabularyReader::add_unmade_as_special() {
  std::vector<bool> made(kMostTokens);
  for (const BpeMerge& merge : merges_) made[merge.result] = true;
  for (const auto& [text, id] : id_of_)
    if (const auto bytes = bytes_of_symbols(text); !made[id] && (!bytes || bytes->size() > 1))
      special_.push_back(id);
  std::sort(special_.begin(), special_.end());
}

Token VocabularyReader::find(const std::string& text, const std::string& source,
                             const std::string& where) const {
  const auto found = id_of_.find(text);
  if (found == id_of_.end())
    bad_file(source, where + ": the vocabulary has no token " + quote(text), kRemedy);
  return found->second;
}

void VocabularyReader::add_merge(const std::string& left, const std::string& right,
                                 const std::string& merges_source, const std::string& where) {
  const BpeMerge merge{find(left, merges_source, where), find(right, merges_source, where),
                       find(left + right, merges_source, where)};
  const std::uint32_t pair = static_cast<std::uint32_t>(merge.left) << 16 | merge.right;
  const auto [known, is_new] = merged_.try_emplace(pair, where);
  if (!is_new)
    bad_file(merges_source, where + ": the same pair as " + known->second + ": " + quote(left + " " + right),
             kRemedy);
  merges_.push_back(merge);
}

void VocabularyReader::check_bytes(const BpeModel& model) const {
  std::array<bool, 256> known{};
  for (std::size_t id = 0; id < model.tokens.size(); ++id)
    if (model.tokens[id].size() == 1) known[static_cast<unsigned char>(model.tokens[id][0])] = true;
  for (std::size_t b = 0; b < known.size(); ++b)
    if (!known[b])
      refuse(concat("the vocabulary has no token for byte ", b,
                    " alone: it was trained without the whole byte alphabet"));
}

BpeModel VocabularyReader::model() {
  BpeModel model;
  model.tokens.resize(id_of_.size());
  for (const auto& [text, id] : id_of_) {
    if (id >= model.tokens.size())
      refuse(concat("token ", quote(text), " has id ", id, ", but there are ", id_of_.size(), " tokens"));
    if (!model.tokens[id].empty()) refuse(concat("id ", id, " belongs to two tokens, one is ", quote(text)));
    const bool special = std::find(special_.begin(), special_.end(), id) != special_.end();
    const auto bytes = special ? text : bytes_of_symbols(text);
    if (!bytes) refuse("token " + quote(text) + " has a character that stands for no byte");
    model.tokens[id] = *bytes;
  }
  check_bytes(model);
  for (const BpeMerge& m : merges_)
    if (model.tokens[m.left] + model.tokens[m.right] != model.tokens[m.result])
      refuse("a merge takes part in the special token " + quote(model.tokens[m.result]));
  model.merges = std::move(merges_);
  model.special = std::move(special_);
  return model;
}

}  // namespace moe
