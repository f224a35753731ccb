// Headers and whole files of safetensors.
#include "common/io/safetensors.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/targets.hpp"

namespace moe::fuzz {
namespace {

// A file in memory with a name that open(2) knows.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(::memfd_create("fuzz", 0)) {
    MOE_CHECK(fd_.get() >= 0 &&
                  ::write(fd_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
              "memfd");
  }
  std::string path() const { return concat("/proc/self/fd/", fd_.get()); }

 private:
  Descriptor fd_;
};

bool run_file(std::string_view bytes) {
  const MemoryFile memory(bytes);
  const SafetensorsFile file(memory.path());
  Context ctx;
  for (const TensorEntry& entry : file.entries()) {
    MOE_CHECK(file.find(entry.name) == &entry, "tensor ", quote(entry.name), " is not found");
    const DType dtype = entry.dtype == "I32" ? DType::i32 : entry.dtype == "F64" ? DType::f64 : DType::f32;
    if (entry.dtype != "I32" && !entry.dtype.starts_with("F") && entry.dtype != "BF16") continue;
    if (entry.dtype.starts_with("F8")) continue;
    file.read(entry.name, Tensor::empty(ctx, dtype, entry.shape));
  }
  return true;
}

bool run_header(std::string_view json, std::uint64_t data_bytes) {
  const SafetensorsHeader header = parse_safetensors_header(json, data_bytes, "fuzz");
  const std::string text = format_safetensors_header(header.metadata, header.entries);
  const SafetensorsHeader again = parse_safetensors_header(text, data_bytes, "again");
  MOE_CHECK(again.metadata == header.metadata && again.entries.size() == header.entries.size(), text);
  for (std::size_t i = 0; i < again.entries.size(); ++i) {
    const TensorEntry &a = header.entries[i], &b = again.entries[i];
    MOE_CHECK(
        a.name == b.name && a.dtype == b.dtype && a.shape == b.shape && a.begin == b.begin && a.end == b.end,
        text);
  }
  return true;
}

std::string header_of_two() {
  return format_safetensors_header(
      {{"made by", "a seed"}},
      std::vector<TensorEntry>{{"a.weight", "F32", {2, 3}, 0, 24}, {"b", "F16", {2}, 24, 28}});
}

std::string prefixed(const std::string& header) {
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return file + header;
}

}  // namespace

bool run_safetensors(std::string_view input) {
  if (input.starts_with('F')) return run_file(input.substr(1));
  if (!input.starts_with('H')) return false;
  const std::string_view json = input.substr(1, input.find('\n') - 1);
  return run_header(json, input.size() - std::min(input.size(), json.size() + 2));
}

std::vector<std::string> safetensors_seeds() {
  const std::string several =
      format_safetensors_header({}, std::vector<TensorEntry>{{"d", "F64", {}, 0, 8},
                                                             {"i", "I32", {1, 1, 2}, 8, 16},
                                                             {"none", "F32", {0, 5}, 16, 16},
                                                             {"x", "BF16", {1}, 16, 18},
                                                             {"u", "U8", {3}, 18, 21}});
  return {"F" + prefixed(header_of_two()) + std::string(28, '\x3f'),
          "H" + header_of_two() + "\n" + std::string(28, 'x'),
          "F" + prefixed(several) + std::string(21, '\x40'),
          "H" + several + "\n" + std::string(21, 'x'),
          "H{\"\\u00e9\\ud83d\\ude00\":{\"shape\":[1,1],\"data_offsets\":[0,1],\"dtype\":\"BOOL\"}}\nx",
          "F" + prefixed("{}")};
}

}  // namespace moe::fuzz
