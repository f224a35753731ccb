// Tokens as the texts they are in files, and the checks that make them a BpeModel; behind tokenizer_json.hpp.
#pragma once

#include <optional>

#include "common/data/bpe.hpp"

namespace moe {

std::string symbols_of_bytes(std::string_view bytes);                   // " a" -> "Ġa"
std::optional<std::string> bytes_of_symbols(std::string_view symbols);  // nothing: another character in it

// Collects what a file says, in any order, then model() checks the whole. `source` opens every message.
class VocabularyReader {
 public:
  explicit VocabularyReader(std::string source) : source_(std::move(source)) {}

  [[noreturn]] void refuse(const std::string& what) const;
  void add_token(const std::string& text, std::uint64_t id);
  void add_special(const std::string& text, std::uint64_t id, const std::string& where);
  void add_unmade_as_special();  // after the merges
  // `where`: "merges[17]", "line 17"; what is wrong with a merge is wrong in merges_source.
  void add_merge(const std::string& left, const std::string& right, const std::string& merges_source,
                 const std::string& where);
  BpeModel model();

 private:
  Token find(const std::string& text, const std::string& source, const std::string& where) const;
  void check_bytes(const BpeModel& model) const;

  std::string source_;
  std::unordered_map<std::string, Token> id_of_;
  std::unordered_map<std::uint32_t, std::string> merged_;  // pairs, and where they stand
  std::vector<BpeMerge> merges_;
  std::vector<Token> special_;
};

}  // namespace moe
