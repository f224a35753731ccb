#include "common/io/safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "common/io/atomic_file.hpp"
#include "common/io/half.hpp"

namespace moe {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie in memory");

constexpr std::uint64_t kPrefix = 8;  // bytes of the header's length
constexpr const char* kShapeRemedy =
    "take the file that belongs to this configuration, or the configuration of this file";

SafetensorsHeader read_header(const FileReader& reader) {
  const std::string source = reader.path().string();
  const char* remedy = "the file is damaged or no safetensors file: fetch or write it again";
  if (reader.size() < kPrefix)
    bad_file(source, concat("has ", reader.size(), " bytes, a header length alone takes 8"), remedy);
  std::uint64_t length = 0;
  reader.read(0, &length, kPrefix);
  // Both before the allocation: the length is the first thing a damaged file lies about.
  if (length > kMostHeaderBytes)
    bad_file(source, concat("header of ", length, " bytes, at most ", kMostHeaderBytes, " are allowed"),
             remedy);
  if (length > reader.size() - kPrefix)
    bad_file(source, concat("header of ", length, " bytes in a file of ", reader.size()), remedy);
  std::string json(length, '\0');
  reader.read(kPrefix, json.data(), length);
  return parse_safetensors_header(json, reader.size() - kPrefix - length, source);
}

template <class From, class To, class Convert>
void widen(const FileReader& reader, std::uint64_t offset, To* into, std::int64_t n, Convert convert) {
  std::vector<From> piece(static_cast<std::size_t>(std::min<std::int64_t>(n, 1 << 16)));
  for (std::int64_t done = 0; done < n;) {
    const std::int64_t count = std::min<std::int64_t>(n - done, static_cast<std::int64_t>(piece.size()));
    reader.read(offset + static_cast<std::uint64_t>(done) * sizeof(From), piece.data(),
                static_cast<std::size_t>(count) * sizeof(From));
    for (std::int64_t i = 0; i < count; ++i)
      into[done + i] = static_cast<To>(convert(piece[static_cast<std::size_t>(i)]));
    done += count;
  }
}

bool can_become(const std::string& stored, DType wanted) {
  if (wanted == DType::i32) return stored == "I32";
  return stored == "F32" || stored == "F64" || stored == "BF16" || stored == "F16";
}

// At most five names, so that a wrong file does not fill the screen.
std::string list_of(const std::set<std::string_view>& names) {
  std::string text;
  int shown = 0;
  for (const std::string_view name : names) {
    if (shown++ == 5) return text + concat(" and ", names.size() - 5, " more");
    text += (text.empty() ? "" : ", ") + quote(name);
  }
  return text;
}

std::vector<TensorEntry> lay_out(std::span<const PlannedTensor> tensors, std::vector<std::size_t>& order) {
  order.resize(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return *bytes_of_dtype(tensors[a].dtype) > *bytes_of_dtype(tensors[b].dtype);
  });
  std::vector<TensorEntry> entries;
  std::uint64_t place = 0;
  for (const std::size_t i : order) {
    const PlannedTensor& t = tensors[i];
    const auto bytes = static_cast<std::uint64_t>(element_count(t.shape) * *bytes_of_dtype(t.dtype));
    entries.push_back({t.name, t.dtype, t.shape, place, place + bytes});
    place += bytes;
  }
  return entries;
}

}  // namespace

SafetensorsFile::SafetensorsFile(std::filesystem::path path)
    : reader_(std::move(path)), header_(read_header(reader_)) {
  const std::uint64_t data_bytes = header_.entries.empty() ? 0 : header_.entries.back().end;
  data_start_ = reader_.size() - data_bytes;
  for (const TensorEntry& entry : header_.entries) by_name_.push_back(&entry);
  std::sort(by_name_.begin(), by_name_.end(), [](auto* a, auto* b) { return a->name < b->name; });
}

const TensorEntry* SafetensorsFile::find(std::string_view name) const {
  const auto at =
      std::lower_bound(by_name_.begin(), by_name_.end(), name, [](auto* e, auto n) { return e->name < n; });
  return at != by_name_.end() && (*at)->name == name ? *at : nullptr;
}

void SafetensorsFile::check(std::string_view name, const Shape& shape, DType dtype) const {
  const TensorEntry* entry = find(name);
  if (!entry) bad_file(path(), "lacks tensor " + quote(name), kShapeRemedy);
  if (entry->shape != shape)
    bad_file(path(),
             concat("tensor ", quote(name), " has shape ", to_string(entry->shape), ", expected ",
                    to_string(shape)),
             kShapeRemedy);
  if (!can_become(entry->dtype, dtype))
    bad_file(path(),
             concat("tensor ", quote(name), " has dtype ", entry->dtype, ", which cannot be read as ",
                    name_of(dtype)),
             "convert it to F32 with the program that wrote it");
}

template <class T>
void SafetensorsFile::read_as(const TensorEntry& entry, T* into) const {
  const std::uint64_t offset = data_start_ + entry.begin;
  const std::int64_t n = element_count(entry.shape);
  const auto same = [](auto x) { return x; };
  if (entry.dtype == file_dtype(dtype_of<T>))
    reader_.read(offset, into, static_cast<std::size_t>(n) * sizeof(T));
  else if (entry.dtype == "F32")
    widen<float>(reader_, offset, into, n, same);
  else if (entry.dtype == "F64")
    widen<double>(reader_, offset, into, n, same);
  else if (entry.dtype == "BF16")
    widen<std::uint16_t>(reader_, offset, into, n, from_bf16);
  else
    widen<std::uint16_t>(reader_, offset, into, n, from_f16);
}

void SafetensorsFile::read(std::string_view name, const Tensor& into) const {
  check(name, into);
  const TensorEntry& entry = *find(name);
  const auto read_values = [&]<class T>(T) {
    std::vector<T> values(static_cast<std::size_t>(into.numel()));
    read_as(entry, values.data());
    into.write(values.data());
  };
  into.dtype() == DType::i32 ? read_values(std::int32_t{}) : dispatch(into.dtype(), read_values);
}

FileSum write_planned(const std::filesystem::path& path, std::span<const PlannedTensor> tensors,
                      const BytesOf& bytes_of, const Metadata& metadata) {
  std::vector<std::size_t> order;
  const std::vector<TensorEntry> entries = lay_out(tensors, order);
  const std::string header = format_safetensors_header(metadata, entries);
  const std::uint64_t length = header.size();
  AtomicFile file(path);
  file.write(&length, kPrefix);
  file.write(header);
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < order.size(); ++i) {
    bytes_of(order[i], bytes);
    MOE_CHECK(bytes.size() == entries[i].end - entries[i].begin, entries[i].name, ": ", bytes.size(),
              " bytes");
    file.write(bytes.data(), bytes.size());
  }
  return file.commit();
}

FileSum write_tensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                      const Metadata& metadata) {
  std::vector<PlannedTensor> planned;
  for (const NamedTensor& t : tensors) {
    MOE_CHECK(t.tensor.defined(), "tensor ", quote(t.name), " is undefined");
    planned.push_back({t.name, file_dtype(t.tensor.dtype()), t.tensor.shape()});
  }
  return write_planned(
      path, planned,
      [&](std::size_t i, std::vector<std::byte>& bytes) {
        bytes.resize(tensors[i].tensor.bytes());
        tensors[i].tensor.read(bytes.data());
      },
      metadata);
}

void check_same_names(const std::filesystem::path& where, std::set<std::string_view> present,
                      std::span<const std::string_view> expected) {
  std::set<std::string_view> missing;
  for (const std::string_view name : expected)
    if (present.erase(name) == 0) missing.insert(name);
  if (missing.empty() && present.empty()) return;
  std::string what;
  if (!missing.empty())
    what += concat("lacks ", missing.size(), " of ", expected.size(), " tensors: ", list_of(missing));
  if (!present.empty())
    what += concat(what.empty() ? "" : "; ", "has ", present.size(),
                   " that are not expected: ", list_of(present));
  bad_file(where, what, kShapeRemedy);
}

Metadata read_tensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors) {
  const SafetensorsFile file(path);
  std::set<std::string_view> present;
  for (const TensorEntry& entry : file.entries()) present.insert(entry.name);
  std::vector<std::string_view> expected;
  for (const NamedTensor& t : tensors) expected.push_back(t.name);
  check_same_names(path, std::move(present), expected);
  for (const NamedTensor& t : tensors) file.check(t.name, t.tensor);
  for (const NamedTensor& t : tensors) file.read(t.name, t.tensor);
  return file.metadata();
}

}  // namespace moe
