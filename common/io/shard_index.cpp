#include "common/io/shard_index.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/io/file.hpp"
#include "common/io/manifest.hpp"

namespace moe {
namespace {

constexpr const char* kRemedy = "the index is damaged or no index of a model: fetch or write it again";

// Events of nlohmann's SAX parser: deep nesting costs nothing, and a tensor that is named twice is seen.
class IndexReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  ShardMap files;
  bool has_map = false;
  std::string problem = "is no JSON object";

  bool null() override { return value("null"); }
  bool boolean(bool) override { return value("true or false"); }
  bool number_integer(number_integer_t) override { return value("a number"); }
  bool number_unsigned(number_unsigned_t) override { return value("a number"); }
  bool number_float(number_float_t, const string_t&) override { return value("a number"); }
  bool binary(binary_t&) override { return false; }
  bool start_array(std::size_t) override { return open("an array"); }
  bool end_array() override { return close(); }
  bool end_object() override { return close(); }

  bool string(string_t& text) override {
    if (depth_ != 2 || !in_map_) return value("a string");
    if (!is_plain_name(text) || !text.ends_with(".safetensors"))
      return fail(concat("puts tensor ", quote(tensor_), " in ", quote(text),
                         ", which is no name of a safetensors file beside it"));
    if (files.emplace(tensor_, text).second) return true;
    return fail("names tensor " + quote(tensor_) + " twice");
  }

  bool start_object(std::size_t) override {
    if (depth_ == 1 && at_map_) {
      if (std::exchange(has_map, true)) return fail("has \"weight_map\" twice");
      in_map_ = true;
      return ++depth_, true;
    }
    return depth_ == 0 ? (++depth_, true) : open("an object");
  }

  bool key(string_t& name) override {
    if (depth_ == 1) at_map_ = name == "weight_map";
    if (in_map_) tensor_ = name;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool fail(std::string text) {
    problem = std::move(text);
    return false;
  }
  bool value(const char* what) {
    if (depth_ == 0) return false;
    if (depth_ == 1 && at_map_)
      return fail(concat("has ", what, " where \"weight_map\" should be an object"));
    if (in_map_) return fail(concat("has ", what, " where the file of tensor ", quote(tensor_), " belongs"));
    return true;
  }
  bool open(const char* what) { return value(what) && (++depth_, true); }
  bool close() {
    if (--depth_ == 1) in_map_ = false;
    return true;
  }

  int depth_ = 0;
  bool at_map_ = false, in_map_ = false;
  std::string tensor_;
};

}  // namespace

ShardMap parse_shard_index(std::string_view text, const std::string& source) {
  IndexReader reader;
  // The lexer takes a zero byte for the end of the text.
  if (text.find('\0') != text.npos || !nlohmann::json::sax_parse(text.begin(), text.end(), &reader))
    bad_file(source, reader.problem, kRemedy);
  if (!reader.has_map) bad_file(source, "has no \"weight_map\"", kRemedy);
  return std::move(reader.files);
}

std::string format_shard_index(const ShardMap& files, std::uint64_t total_bytes) {
  const nlohmann::ordered_json document = {{"metadata", {{"total_size", total_bytes}}},
                                           {"weight_map", nlohmann::json(files)}};
  return document.dump(2) + "\n";
}

std::string shard_name(std::size_t number, std::size_t of) {
  char name[64];
  std::snprintf(name, sizeof name, "model-%05zu-of-%05zu.safetensors", number, of);
  return name;
}

}  // namespace moe
