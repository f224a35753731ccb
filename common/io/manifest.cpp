#include "common/io/manifest.hpp"

#include <nlohmann/json.hpp>

namespace moe {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;  // for writing: its look-up is linear
constexpr const char* kFormat = "moe-odyssey-checkpoint";

std::string trailer_of(std::string_view body) {
  return "  \"manifest_crc32\": \"" + hex32(crc32_of(body)) + "\"\n}\n";
}

struct Reader {
  const std::string& source;
  const std::string& remedy;

  [[noreturn]] void refuse(const std::string& what) const { bad_file(source, what, remedy); }

  const Json& field(const Json& object, const char* name, Json::value_t type) const {
    if (!object.is_object() || !object.contains(name)) refuse(concat("lacks field ", quote(name)));
    if (object[name].type() != type) refuse(concat("field ", quote(name), " has the wrong type"));
    return object[name];
  }
  std::int64_t count(const Json& object, const char* name) const {
    const auto n = field(object, name, Json::value_t::number_unsigned).get<std::uint64_t>();
    if (n > INT64_MAX) refuse(concat("field ", quote(name), " is ", n));
    return static_cast<std::int64_t>(n);
  }
  const std::string& text(const Json& object, const char* name) const {
    return field(object, name, Json::value_t::string).get_ref<const std::string&>();
  }
};

std::uint32_t parse_crc(const Reader& reader, const Json& file) {
  const std::string& text = reader.text(file, "crc32");
  if (text.size() != 8 || text.find_first_not_of("0123456789abcdef") != text.npos)
    reader.refuse("crc32 is " + quote(text) + ", expected eight hexadecimal digits");
  return static_cast<std::uint32_t>(std::stoul(text, nullptr, 16));
}

ManifestFile parse_file(const Reader& reader, const Json& file) {
  const std::string& name = reader.text(file, "name");
  // A name with folders would let a manifest point at any file of the machine.
  if (!is_plain_name(name)) reader.refuse("lists " + quote(name) + ", which is no plain file name");
  return {name, {static_cast<std::uint64_t>(reader.count(file, "bytes")), parse_crc(reader, file)}};
}

void check_version(const Reader& reader, const Json& document) {
  if (reader.text(document, "format") != kFormat) reader.refuse("is no checkpoint manifest");
  const std::int64_t version = reader.count(document, "version");
  if (version != kManifestVersion)
    bad_file(reader.source, concat("has format version ", version, ", this program reads ", kManifestVersion),
             "use the program that wrote it, or a newer one");
}

void check_own_sum(const Reader& reader, std::string_view text) {
  const std::size_t length = trailer_of("").size();
  if (text.size() < length) reader.refuse("is cut short");
  const std::string_view body = text.substr(0, text.size() - length);
  if (text.substr(body.size()) != trailer_of(body))
    reader.refuse("is damaged: its checksum is not " + hex32(crc32_of(body)));
}

}  // namespace

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() < 200 && name.find('/') == name.npos && name.find('\0') == name.npos &&
         name != "." && name != ".." && name != kManifestName;
}

std::string format_manifest(const Manifest& manifest) {
  OrderedJson files = OrderedJson::array();
  for (const ManifestFile& file : manifest.files)
    files.push_back({{"name", file.name}, {"bytes", file.sum.bytes}, {"crc32", hex32(file.sum.crc32)}});
  OrderedJson document = {{"format", kFormat}, {"version", kManifestVersion}, {"step", manifest.step}};
  document["fields"] = OrderedJson::object();
  for (const auto& [key, value] : manifest.fields) document["fields"][key] = value;
  document["files"] = std::move(files);
  std::string body = document.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
  body.erase(body.size() - 2);  // "\n}": the object goes on with the checksum of what stands so far
  body += ",\n";
  return body + trailer_of(body);
}

Manifest parse_manifest(std::string_view text, const std::string& source, const std::string& remedy) {
  const Reader reader{source, remedy};
  const Json document = Json::parse(text.begin(), text.end(), nullptr, false);
  if (document.is_discarded()) reader.refuse("is no JSON: damaged or cut short");
  // Before the checksum, whose place a later version may have moved.
  check_version(reader, document);
  check_own_sum(reader, text);
  Manifest manifest;
  manifest.step = reader.count(document, "step");
  const Json& fields = reader.field(document, "fields", Json::value_t::object);
  for (const auto& [key, value] : fields.items()) manifest.fields[key] = reader.text(fields, key.c_str());
  for (const Json& file : reader.field(document, "files", Json::value_t::array))
    manifest.files.push_back(parse_file(reader, file));
  return manifest;
}

}  // namespace moe
