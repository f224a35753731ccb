#include "common/io/tokenizer_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/io/atomic_file.hpp"
#include "common/io/tokenizer_symbols.hpp"

namespace moe {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;
constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;  // GPT-2's file has 2 MB

Json parse_json(std::string_view text, const VocabularyReader& reader) {
  // nlohmann's lexer takes a zero byte for the end and would not see what follows.
  if (const auto zero = text.find('\0'); zero != text.npos)
    reader.refuse(concat("has a zero byte at ", zero));
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::parse_error& error) {
    reader.refuse(concat("is no JSON: fault at its byte ", error.byte));
  } catch (const Json::exception&) {  // a number that no double holds
    reader.refuse("is no JSON that can be read: a number is out of range");
  }
}

// The value of `name`, or null when it is absent.
const Json& value_of(const Json& object, const char* name) {
  static const Json kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::string text_or_nothing(const Json& value) {
  return value.is_string() ? value.get<std::string>() : "";
}

const Json& object_at(const Json& parent, const char* name, const VocabularyReader& reader) {
  const Json& value = value_of(parent, name);
  if (!value.is_object()) reader.refuse(concat("lacks the object ", quote(name)));
  return value;
}

// Containers are only named: they may be nested deep enough to exhaust the stack of a recursive dump.
std::string shown(const Json& value) {
  if (value.is_structured()) return value.is_array() ? "an array" : "an object";
  return quote(value.dump(-1, ' ', true));
}

// `name` is absent, null, false, zero or empty: it is switched off.
void check_off(const Json& object, const char* name, const std::string& where,
               const VocabularyReader& reader) {
  const Json& value = value_of(object, name);
  const bool off = value.is_null() || value == false || value == 0 || value == "";
  if (!off) reader.refuse(where + "." + name + " is " + shown(value) + ", which is not known here");
}

void check_byte_level(const Json& document, const char* name, const VocabularyReader& reader) {
  const Json& part = object_at(document, name, reader);
  const std::string type = text_or_nothing(value_of(part, "type"));
  if (type != "ByteLevel") reader.refuse(concat(name, " has type ", quote(type), ", expected \"ByteLevel\""));
  if (name != std::string_view("pre_tokenizer")) return;
  check_off(part, "add_prefix_space", name, reader);
  const Json& regex = value_of(part, "use_regex");
  if (!regex.is_null() && regex != true) reader.refuse("pre_tokenizer.use_regex is not true");
}

void check_kind(const Json& document, const Json& model, const VocabularyReader& reader) {
  const std::string type = text_or_nothing(value_of(model, "type"));
  if (type != "BPE") reader.refuse("model has type " + quote(type) + ", expected \"BPE\"");
  for (const char* name :
       {"dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges"})
    check_off(model, name, "model", reader);
  check_off(document, "normalizer", "the file", reader);
  check_byte_level(document, "pre_tokenizer", reader);
  check_byte_level(document, "decoder", reader);
}

std::uint64_t id_of(const Json& value, const std::string& where, const VocabularyReader& reader) {
  if (!value.is_number_unsigned()) reader.refuse(where + ": the id is not a whole number >= 0");
  return value.get<std::uint64_t>();
}

void read_vocabulary(const Json& vocabulary, VocabularyReader& reader) {
  for (const auto& [text, id] : vocabulary.items())
    reader.add_token(text, id_of(id, "token " + quote(text), reader));
}

void read_merges(const Json& merges, VocabularyReader& reader, const std::string& source) {
  if (!merges.is_array()) reader.refuse("lacks the array \"merges\"");
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const std::string where = concat("merges[", i, "]");
    const Json& merge = merges[i];
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      reader.add_merge(merge[0].get<std::string>(), merge[1].get<std::string>(), source, where);
      continue;
    }
    const std::string text = text_or_nothing(merge);
    const std::size_t space = text.find(' ');
    if (space == text.npos || text.find(' ', space + 1) != text.npos)
      reader.refuse(where + " is neither \"left right\" nor [\"left\", \"right\"]");
    reader.add_merge(text.substr(0, space), text.substr(space + 1), source, where);
  }
}

void read_added_tokens(const Json& added, VocabularyReader& reader) {
  if (!added.is_null() && !added.is_array()) reader.refuse("added_tokens is no array");
  for (std::size_t i = 0; i < added.size(); ++i) {
    const std::string where = concat("added_tokens[", i, "]");
    if (!added[i].is_object()) reader.refuse(where + " is no object");
    for (const char* name : {"single_word", "lstrip", "rstrip"}) check_off(added[i], name, where, reader);
    reader.add_special(text_or_nothing(value_of(added[i], "content")),
                       id_of(value_of(added[i], "id"), where, reader), where);
  }
}

void read_merges_txt(std::string_view text, VocabularyReader& reader, const std::string& source) {
  for (int line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (row.ends_with('\r')) row.remove_suffix(1);
    if (row.empty() || (line == 1 && row.starts_with("#version"))) continue;
    const std::size_t space = row.find(' ');
    const std::string where = concat("line ", line);
    if (space == row.npos || row.find(' ', space + 1) != row.npos)
      bad_file(source, where + " is not \"left right\": " + quote(row), "fetch the file again");
    reader.add_merge(std::string(row.substr(0, space)), std::string(row.substr(space + 1)), source, where);
  }
}

OrderedJson byte_level() {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
}

}  // namespace

std::string to_tokenizer_json(const BpeModel& model) {
  std::vector<std::string> texts;
  for (const std::string& bytes : model.tokens) texts.push_back(symbols_of_bytes(bytes));
  OrderedJson added = OrderedJson::array(), merges = OrderedJson::array(), vocabulary = OrderedJson::object();
  for (const Token id : model.special) {
    texts[id] = model.tokens[id];
    added.push_back({{"id", id},
                     {"content", texts[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  // push_back on ordered_json's vector: its look-up of a key is linear.
  for (std::size_t id = 0; id < texts.size(); ++id)
    vocabulary.get_ref<OrderedJson::object_t&>().push_back({texts[id], id});
  for (const BpeMerge& m : model.merges) merges.push_back(texts[m.left] + " " + texts[m.right]);
  const OrderedJson bpe = {{"type", "BPE"},
                           {"dropout", nullptr},
                           {"unk_token", nullptr},
                           {"continuing_subword_prefix", nullptr},
                           {"end_of_word_suffix", nullptr},
                           {"fuse_unk", false},
                           {"byte_fallback", false},
                           {"vocab", std::move(vocabulary)},
                           {"merges", std::move(merges)}};
  const OrderedJson document = {{"version", "1.0"},
                                {"truncation", nullptr},
                                {"padding", nullptr},
                                {"added_tokens", std::move(added)},
                                {"normalizer", nullptr},
                                {"pre_tokenizer", byte_level()},
                                {"post_processor", nullptr},
                                {"decoder", byte_level()},
                                {"model", bpe}};
  return document.dump(1) + "\n";
}

BpeModel parse_tokenizer_json(std::string_view text, const std::string& source) {
  VocabularyReader reader(source);
  const Json document = parse_json(text, reader);
  const Json& model = object_at(document, "model", reader);
  check_kind(document, model, reader);
  read_vocabulary(object_at(model, "vocab", reader), reader);
  read_merges(value_of(model, "merges"), reader, source);
  read_added_tokens(value_of(document, "added_tokens"), reader);
  return reader.model();
}

BpeModel parse_vocab_and_merges(std::string_view vocab, std::string_view merges,
                                const std::string& vocab_source, const std::string& merges_source) {
  VocabularyReader reader(vocab_source);
  const Json vocabulary = parse_json(vocab, reader);
  if (!vocabulary.is_object()) reader.refuse("is no object of tokens and ids");
  read_vocabulary(vocabulary, reader);
  read_merges_txt(merges, reader, merges_source);
  reader.add_unmade_as_special();
  return reader.model();
}

BpeModel read_tokenizer(const std::filesystem::path& path) {
  const auto read = [](const std::filesystem::path& file) { return read_text_file(file, kMostBytes); };
  if (!std::filesystem::is_directory(path)) return parse_tokenizer_json(read(path), path.string());
  const auto whole = path / "tokenizer.json", vocab = path / "vocab.json", merges = path / "merges.txt";
  if (std::filesystem::exists(whole)) return parse_tokenizer_json(read(whole), whole.string());
  if (!std::filesystem::exists(vocab))
    bad_file(path, "has neither tokenizer.json nor vocab.json",
             "give the tokenizer.json of a byte-level BPE, or train one: moe tokenizer train");
  const std::string tokens = read(vocab);
  return parse_vocab_and_merges(tokens, read(merges), vocab.string(), merges.string());
}

FileSum write_tokenizer_json(const std::filesystem::path& path, const BpeModel& model) {
  return write_file_atomically(path, to_tokenizer_json(model));
}

}  // namespace moe
