// The tensors of a model in a directory: model.safetensors, or the shards of model.safetensors.index.json.
//
// Headers are read and checked at once, data when asked for. Every fault is a UserError(bad_file) that names file and
// tensor.
#pragma once

#include "common/io/safetensors.hpp"
#include "common/io/shard_index.hpp"

namespace moe {

class ModelFiles {
 public:
  // Where both a single file and an index stand, the single file counts, as in transformers. Shards must hold what the
  // index says and nothing else: a missing file, a tensor in another shard, in two, or in none are refused.
  explicit ModelFiles(const std::filesystem::path& directory);

  // Throws unless these are all tensors there are, with these names and shapes and of floats.
  struct Expected {
    std::string_view name;
    const Shape& shape;
  };
  void check(std::span<const Expected> tensors) const;

  const TensorEntry& entry(std::string_view name) const;       // of a name that check() has seen
  void read(std::string_view name, const Tensor& into) const;  // F64, BF16 and F16 too; one tensor's memory

  // check(), then all of them.
  void read(std::span<const NamedTensor> tensors) const;
  std::size_t files() const { return files_.size(); }

 private:
  void open_shards(const std::filesystem::path& directory);
  const SafetensorsFile& file_of(std::string_view name) const;

  std::filesystem::path where_;  // what messages about the whole name: the file or the index
  std::vector<SafetensorsFile> files_;
  std::map<std::string_view, std::size_t> file_of_;  // names are the entries' own
};

struct ShardSettings {
  std::uint64_t most_bytes = 5'000'000'000;  // of data in a shard, unless a single tensor has more
  Metadata metadata = {};
};

// Writes model.safetensors into an existing directory, or shards and their index when one is not enough. bytes_of as in
// write_planned: one tensor in memory. Returns the number of files that hold tensors.
std::size_t write_model_files(const std::filesystem::path& directory, std::span<const PlannedTensor> tensors,
                              const BytesOf& bytes_of, const ShardSettings& settings);

}  // namespace moe
