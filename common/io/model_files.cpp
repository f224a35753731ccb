#include "common/io/model_files.hpp"

#include "common/io/atomic_file.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;
constexpr std::uint64_t kMostIndexBytes = 64 << 20;
constexpr const char* kRemedy = "fetch or write the model again, all its files";

bool stands(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

[[noreturn]] void no_model(const fs::path& directory) {
  const bool pickled =
      stands(directory / "pytorch_model.bin") || stands(directory / "pytorch_model.bin.index.json");
  bad_file(directory, concat("has neither ", kModelFile, " nor ", kShardIndex),
           pickled ? "save the model with safetensors: load it in transformers and call save_pretrained"
                   : "give the directory of a model");
}

struct Shard {
  std::vector<std::size_t> tensors;  // indices
  std::uint64_t bytes = 0;
};

std::uint64_t bytes_of_tensor(const PlannedTensor& t) {
  return static_cast<std::uint64_t>(element_count(t.shape) * *bytes_of_dtype(t.dtype));
}

// In the given order; a new shard begins where a tensor does not fit any more.
std::vector<Shard> cut(std::span<const PlannedTensor> tensors, std::uint64_t most) {
  std::vector<Shard> shards(1);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::uint64_t bytes = bytes_of_tensor(tensors[i]);
    if (!shards.back().tensors.empty() && shards.back().bytes + bytes > most) shards.emplace_back();
    shards.back().tensors.push_back(i);
    shards.back().bytes += bytes;
  }
  return shards;
}

}  // namespace

ModelFiles::ModelFiles(const fs::path& directory) {
  if (stands(directory / kModelFile)) {
    where_ = directory / kModelFile;
    files_.emplace_back(where_);
    for (const TensorEntry& entry : files_[0].entries()) file_of_[entry.name] = 0;
  } else if (stands(directory / kShardIndex)) {
    where_ = directory / kShardIndex;
    open_shards(directory);
  } else {
    no_model(directory);
  }
}

void ModelFiles::open_shards(const fs::path& directory) {
  const ShardMap index = parse_shard_index(read_text_file(where_, kMostIndexBytes), where_.string());
  std::map<std::string_view, std::size_t> number;
  for (const auto& [tensor, file] : index) {
    if (!number.emplace(file, number.size()).second) continue;
    if (!stands(directory / file))
      bad_file(directory / file, concat("is missing, ", kShardIndex, " lists it"), kRemedy);
    files_.emplace_back(directory / file);
  }
  for (std::size_t i = 0; i < files_.size(); ++i)
    for (const TensorEntry& entry : files_[i].entries()) {
      if (const auto [other, fresh] = file_of_.emplace(entry.name, i); !fresh)
        bad_file(
            files_[i].path(),
            concat("has tensor ", quote(entry.name), ", and so has ", files_[other->second].path().string()),
            kRemedy);
      const auto listed = index.find(entry.name);
      if (listed == index.end() || number.at(listed->second) != i)
        bad_file(files_[i].path(),
                 concat("has tensor ", quote(entry.name), ", which ", kShardIndex,
                        listed == index.end() ? " does not list" : " puts in " + listed->second),
                 kRemedy);
    }
  for (const auto& [tensor, file] : index)
    if (!file_of_.contains(tensor))
      bad_file(directory / file,
               concat("lacks tensor ", quote(tensor), ", which ", kShardIndex, " puts there"), kRemedy);
}

const SafetensorsFile& ModelFiles::file_of(std::string_view name) const {
  const auto at = file_of_.find(name);
  MOE_CHECK(at != file_of_.end(), "no tensor ", std::string(name));
  return files_[at->second];
}

const TensorEntry& ModelFiles::entry(std::string_view name) const {
  return *file_of(name).find(name);
}

void ModelFiles::check(std::span<const Expected> tensors) const {
  std::set<std::string_view> present;
  for (const auto& [name, file] : file_of_) present.insert(name);
  std::vector<std::string_view> names;
  for (const Expected& t : tensors) names.push_back(t.name);
  check_same_names(where_, std::move(present), names);
  for (const Expected& t : tensors) file_of(t.name).check(t.name, t.shape, DType::f32);
}

void ModelFiles::read(std::string_view name, const Tensor& into) const {
  file_of(name).read(name, into);
}

void ModelFiles::read(std::span<const NamedTensor> tensors) const {
  std::vector<Expected> expected;
  for (const NamedTensor& t : tensors) expected.push_back({t.name, t.tensor.shape()});
  check(expected);
  for (const NamedTensor& t : tensors) read(t.name, t.tensor);
}

std::size_t write_model_files(const fs::path& directory, std::span<const PlannedTensor> tensors,
                              const BytesOf& bytes_of, const ShardSettings& settings) {
  const std::vector<Shard> shards = cut(tensors, settings.most_bytes);
  ShardMap index;
  std::uint64_t total = 0;
  for (std::size_t s = 0; s < shards.size(); ++s) {
    const std::string name = shards.size() == 1 ? kModelFile : shard_name(s + 1, shards.size());
    std::vector<PlannedTensor> inside;
    for (const std::size_t i : shards[s].tensors) {
      inside.push_back(tensors[i]);
      index[tensors[i].name] = name;
    }
    total += shards[s].bytes;
    write_planned(
        directory / name, inside,
        [&](std::size_t i, std::vector<std::byte>& bytes) { bytes_of(shards[s].tensors[i], bytes); },
        settings.metadata);
  }
  if (shards.size() > 1) write_file_atomically(directory / kShardIndex, format_shard_index(index, total));
  return shards.size();
}

}  // namespace moe
