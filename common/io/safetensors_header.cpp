#include "common/io/safetensors_header.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "common/io/file.hpp"

namespace moe {
namespace {

constexpr const char* kRemedy = "the file is damaged or no safetensors file: fetch or write it again";
constexpr std::size_t kMostAxes = 32;

// Elements, or nothing when the product leaves 63 bits.
std::optional<std::uint64_t> checked_product(const Shape& shape, std::int64_t element_bytes) {
  std::int64_t product = element_bytes;
  for (const std::int64_t n : shape)
    if (__builtin_mul_overflow(product, n, &product)) return std::nullopt;
  return static_cast<std::uint64_t>(product);
}

// Events of nlohmann's SAX parser. `at_` says what may come next; anything else stops the parser at once, so
// deep nesting costs nothing and duplicate keys, which a document would swallow, are seen.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  SafetensorsHeader header;
  std::string problem = "the header is not complete";

  bool start_object(std::size_t) override {
    switch (at_) {
      case At::document:
        at_ = At::names;
        return true;
      case At::tensor:
        at_ = At::fields;
        return true;
      case At::metadata:
        at_ = At::texts;
        return true;
      default:
        return misplaced("an object");
    }
  }

  bool key(string_t& name) override {
    if (at_ == At::names) return begin_entry(name);
    if (at_ == At::texts) {
      text_key_ = name;
      at_ = At::text;
      return true;
    }
    bool* const seen = name == "dtype"          ? &has_dtype_
                       : name == "shape"        ? &has_shape_
                       : name == "data_offsets" ? &has_offsets_
                                                : nullptr;
    if (!seen)
      return fail(where() + ": unknown field " + quote(name) + ", expected dtype, shape, data_offsets");
    if (std::exchange(*seen, true)) return fail(where() + ": field " + quote(name) + " twice");
    at_ = seen == &has_dtype_ ? At::dtype : seen == &has_shape_ ? At::shape : At::offsets;
    return true;
  }

  bool string(string_t& text) override {
    if (at_ == At::text) {
      at_ = At::texts;
      return header.metadata.emplace(text_key_, text).second ||
             fail("metadata key " + quote(text_key_) + " twice");
    }
    if (at_ != At::dtype) return misplaced("a string");
    entry_.dtype = text;
    at_ = At::fields;
    return bytes_of_dtype(text) || fail(where() + ": unknown dtype " + quote(text) +
                                        ", known are F32, F64, I32, BF16, F16 and integers");
  }

  bool start_array(std::size_t) override {
    if (at_ != At::shape && at_ != At::offsets) return misplaced("an array");
    at_ = at_ == At::shape ? At::shape_items : At::offset_items;
    return true;
  }

  bool number_unsigned(number_unsigned_t n) override {
    if (at_ == At::shape_items) {
      if (n > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return fail(where() + concat(": axis of ", n, " elements"));
      if (entry_.shape.size() == kMostAxes) return fail(where() + concat(": more than ", kMostAxes, " axes"));
      entry_.shape.push_back(static_cast<std::int64_t>(n));
      return true;
    }
    if (at_ != At::offset_items) return misplaced("a number");
    if (offsets_ == 2) return fail(where() + ": more than two data_offsets");
    (offsets_++ == 0 ? entry_.begin : entry_.end) = n;
    return true;
  }

  bool end_array() override {
    if (at_ == At::offset_items && offsets_ != 2)
      return fail(where() + concat(": ", offsets_, " data_offsets, expected 2"));
    at_ = At::fields;
    return true;
  }

  bool end_object() override {
    if (at_ == At::fields) return finish_entry();
    at_ = at_ == At::texts ? At::names : At::done;
    return true;
  }

  bool null() override { return misplaced("null"); }
  bool boolean(bool) override { return misplaced("a boolean"); }
  bool number_integer(number_integer_t n) override { return misplaced(concat("the negative number ", n)); }
  bool number_float(number_float_t, const string_t& text) override {
    return misplaced("the number " + quote(text));
  }
  bool binary(binary_t&) override { return misplaced("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    return fail(concat("the header is no JSON: fault at its byte ", position));
  }

 private:
  enum class At {
    document,
    names,
    tensor,
    fields,
    dtype,
    shape,
    shape_items,
    offsets,
    offset_items,
    metadata,
    texts,
    text,
    done
  };

  std::string where() const { return "tensor " + quote(entry_.name); }
  bool fail(std::string text) {
    problem = std::move(text);
    return false;
  }
  bool misplaced(const std::string& what) {
    static constexpr const char* kExpected[] = {
        "an object", "a name",          "an object", "a field", "a string", "an array", "an integer >= 0",
        "an array",  "an integer >= 0", "an object", "a key",   "a string", "the end"};
    const bool in_tensor = at_ >= At::tensor && at_ <= At::offset_items;
    return fail((in_tensor ? where() : std::string("the header")) + " has " + what + " where " +
                kExpected[static_cast<int>(at_)] + " belongs");
  }

  bool begin_entry(const std::string& name) {
    if (name == "__metadata__") {
      at_ = At::metadata;
      return !std::exchange(has_metadata_, true) || fail("\"__metadata__\" twice");
    }
    entry_ = {};
    entry_.name = name;
    has_dtype_ = has_shape_ = has_offsets_ = false;
    offsets_ = 0;
    at_ = At::tensor;
    return true;
  }

  bool finish_entry() {
    if (!has_dtype_ || !has_shape_ || !has_offsets_)
      return fail(where() + " lacks " + (!has_dtype_ ? "dtype" : !has_shape_ ? "shape" : "data_offsets"));
    const auto bytes = checked_product(entry_.shape, *bytes_of_dtype(entry_.dtype));
    if (!bytes) return fail(where() + ": shape " + to_string(entry_.shape) + " overflows");
    if (entry_.begin > entry_.end)
      return fail(where() + concat(": begins at ", entry_.begin, ", behind its end ", entry_.end));
    if (entry_.end - entry_.begin != *bytes)
      return fail(where() + concat(": ", entry_.end - entry_.begin, " bytes for ", entry_.dtype, " ",
                                   to_string(entry_.shape), ", expected ", *bytes));
    header.entries.push_back(std::move(entry_));
    at_ = At::names;
    return true;
  }

  At at_ = At::document;
  TensorEntry entry_;
  std::string text_key_;
  bool has_dtype_ = false, has_shape_ = false, has_offsets_ = false, has_metadata_ = false;
  int offsets_ = 0;
};

[[noreturn]] void refuse(const std::string& source, const std::string& problem) {
  bad_file(source, problem, kRemedy);
}

void check_names(const std::vector<TensorEntry>& entries, const std::string& source) {
  std::vector<const std::string*> names;
  for (const TensorEntry& entry : entries) names.push_back(&entry.name);
  std::sort(names.begin(), names.end(), [](auto* a, auto* b) { return *a < *b; });
  const auto twice =
      std::adjacent_find(names.begin(), names.end(), [](auto* a, auto* b) { return *a == *b; });
  if (twice != names.end()) refuse(source, "tensor " + quote(**twice) + " twice");
}

// Sorted by offset, each must begin where the one before ends, the last at the end of the file.
void check_layout(const std::vector<TensorEntry>& entries, std::uint64_t data_bytes,
                  const std::string& source) {
  std::uint64_t expected = 0;
  for (const TensorEntry& entry : entries) {
    if (entry.begin != expected)
      refuse(source,
             concat("tensor ", quote(entry.name), " begins at ", entry.begin, ", expected ", expected,
                    entry.begin < expected ? " (it overlaps the one before)" : " (a hole before it)"));
    if (entry.end > data_bytes)
      refuse(source, concat("tensor ", quote(entry.name), " ends at ", entry.end, ", but the file has ",
                            data_bytes, " bytes of data"));
    expected = entry.end;
  }
  if (expected != data_bytes)
    refuse(source, concat("has ", data_bytes, " bytes of data, the header describes ", expected));
}

}  // namespace

std::optional<int> bytes_of_dtype(std::string_view dtype) {
  static constexpr std::pair<const char*, int> kTable[] = {
      {"F32", 4},  {"F64", 8},     {"I32", 4},     {"BF16", 2},    {"F16", 2}, {"I64", 8},
      {"U64", 8},  {"U32", 4},     {"I16", 2},     {"U16", 2},     {"I8", 1},  {"U8", 1},
      {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1}, {"C64", 8}};
  for (const auto& [name, bytes] : kTable)
    if (dtype == name) return bytes;
  return std::nullopt;
}

const char* file_dtype(DType dtype) {
  return dtype == DType::f32 ? "F32" : dtype == DType::f64 ? "F64" : "I32";
}

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                           const std::string& source) {
  // nlohmann's lexer takes a zero byte for the end and would skip white space and a byte order mark in front.
  if (!json.starts_with('{')) refuse(source, "the header does not begin with {");
  if (const auto zero = json.find('\0'); zero != json.npos)
    refuse(source, concat("the header has a zero byte at ", zero));
  HeaderReader reader;
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &reader)) refuse(source, reader.problem);
  std::vector<TensorEntry>& entries = reader.header.entries;
  check_names(entries, source);
  std::stable_sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  check_layout(entries, data_bytes, source);
  return std::move(reader.header);
}

std::string format_safetensors_header(const Metadata& metadata, std::span<const TensorEntry> entries) {
  nlohmann::ordered_json document = nlohmann::ordered_json::object();
  if (!metadata.empty()) document["__metadata__"] = metadata;
  std::set<std::string_view> names = {"__metadata__"};
  for (const TensorEntry& entry : entries) {
    MOE_CHECK(names.insert(entry.name).second, "two tensors called ", quote(entry.name));
    // ordered_json looks a key up by walking; push_back on its vector is the same without the quadratic cost.
    document.get_ref<nlohmann::ordered_json::object_t&>().push_back(
        {entry.name,
         {{"dtype", entry.dtype}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}}});
  }
  // Text that is no UTF-8 (a file name in the metadata, say) gets replacement characters: better than no
  // checkpoint.
  std::string text = document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

}  // namespace moe
