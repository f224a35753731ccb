// The header of a safetensors file: JSON that says where each tensor lies.
//
//   bytes 0..7   n, little-endian       {"__metadata__": {"key": "text"},
//   n bytes      the header              "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
//   the rest     the data
//
// Offsets count from the end of the header. Tensors lie back to back: no holes, no overlaps, nothing behind
// the last. The parser keeps no document, only the entries: memory is a small multiple of the header's own
// bytes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/tensor/tensor.hpp"

namespace moe {

using Metadata = std::map<std::string, std::string>;

struct TensorEntry {
  std::string name;
  std::string dtype;  // as in the file: "F32", "BF16", ...
  Shape shape;
  std::uint64_t begin = 0, end = 0;  // bytes after the header
};

struct SafetensorsHeader {
  Metadata metadata;
  std::vector<TensorEntry> entries;  // in the order of the data
};

inline constexpr std::uint64_t kMostHeaderBytes = 100'000'000;  // the reference implementation's limit

std::optional<int> bytes_of_dtype(std::string_view dtype);  // nothing: unknown
const char* file_dtype(DType dtype);                        // "F32"

// `json`: the n bytes; `data_bytes`: what follows them in the file. Throws UserError(bad_file) that starts
// with `source` for every way in which the header can be wrong.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                           const std::string& source);

// The header for entries that are already laid out, padded with spaces so that 8 + n is a multiple of 8: data
// that start aligned can be used where they are mapped.
std::string format_safetensors_header(const Metadata& metadata, std::span<const TensorEntry> entries);

}  // namespace moe
