// Tensors in files: safetensors, the format of Hugging Face. Little-endian, row-major; readable with any
// tool.
//
// Model files, optimizer state ("NAME.m", "NAME.v") and test vectors all go through the two functions at the
// end. Every fault of a file is a UserError(bad_file) that names file and tensor, what was found and what was
// expected.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <span>

#include "common/io/file.hpp"
#include "common/io/safetensors_header.hpp"

namespace moe {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// An open file, its header validated in full. Data are read when asked for.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(std::filesystem::path path);
  const std::filesystem::path& path() const { return reader_.path(); }
  const Metadata& metadata() const { return header_.metadata; }
  std::span<const TensorEntry> entries() const { return header_.entries; }  // in the order of the data
  const TensorEntry* find(std::string_view name) const;                     // null: absent. O(log entries)

  // Throws unless the tensor is there, has this shape and can become this dtype: F32, F64, BF16 and F16
  // become f32 or f64 (only F64 to f32 rounds), I32 becomes i32.
  void check(std::string_view name, const Shape& shape, DType dtype) const;
  void check(std::string_view name, const Tensor& into) const { check(name, into.shape(), into.dtype()); }
  // check(), then fills `into`, which may be a slice of a larger tensor.
  void read(std::string_view name, const Tensor& into) const;

 private:
  template <class T>
  void read_as(const TensorEntry& entry, T* into) const;

  FileReader reader_;
  std::uint64_t data_start_ = 0;
  SafetensorsHeader header_;
  std::vector<const TensorEntry*> by_name_;
};

// A tensor that is to be written.
struct PlannedTensor {
  std::string name;
  std::string dtype;  // of the file: "F32", "BF16", "F16", ...
  Shape shape;
};

// Writes atomically (atomic_file.hpp) and streams: bytes_of(i, bytes) makes those of tensor i, one at a time. Names must
// differ. Data lie widest element first, else in the given order, so that each tensor is aligned to its element.
using BytesOf = std::function<void(std::size_t, std::vector<std::byte>&)>;
FileSum write_planned(const std::filesystem::path& path, std::span<const PlannedTensor> tensors,
                      const BytesOf& bytes_of, const Metadata& metadata = {});

// The same for tensors in memory, of their own dtypes.
FileSum write_tensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors,
                      const Metadata& metadata = {});

// Throws, naming up to five of each, unless `present` are the names of `expected`.
void check_same_names(const std::filesystem::path& where, std::set<std::string_view> present,
                      std::span<const std::string_view> expected);

// Fills all the tensors. The file must have these names and no others; that and all shapes are checked before
// the first byte is written. Returns the metadata.
Metadata read_tensors(const std::filesystem::path& path, std::span<const NamedTensor> tensors);

}  // namespace moe
