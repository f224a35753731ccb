// A model on disk: the directory with config.json and the tensors. Ours and Hugging Face's alike, whole or in shards.
#pragma once

#include "common/io/config_json.hpp"
#include "common/io/model_files.hpp"

namespace moe {

// config.json is there and no manifest: a model of somebody else, or one that was converted.
bool is_model_directory(const std::filesystem::path& path);

class ModelDirectory {
 public:
  // `path`: such a directory, a checkpoint of ours or a run, which means its newest checkpoint (checkpoint_directory.hpp;
  // its checksums are verified, which reads every byte once more). Reads config.json and the headers of all files; missing,
  // surplus and misshapen tensors are a UserError(bad_file).
  explicit ModelDirectory(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }  // where the files are
  const ModelJson& json() const { return json_; }
  const ModelFiles& files() const { return files_; }

  // Fills the parameters, which are those of json().model (hf_names.hpp). One tensor of a file at a time.
  void read(std::span<const NamedTensor> parameters) const;

 private:
  std::filesystem::path path_;
  ModelJson json_;
  ModelFiles files_;
};

struct ConvertSettings {
  Layout layout = Layout::moe;
  std::string dtype = "";  // "F32", "BF16", "F16"; "": each tensor keeps its own, F64 becomes F32
  std::uint64_t shard_bytes = 5'000'000'000;  // most in a file
};

// Writes the model into the new or empty directory `to`, in another layout, precision or number of files; the tokenizer's
// files come along. A tensor at a time: no more memory than the largest takes twice. Written aside and renamed, so that
// `to` is whole or not there. Calls on_tensor(done, all) before each tensor; when it returns false nothing is left behind
// and convert_model returns 0, else the number of files with tensors. Throws UserError(usage) when the layout cannot hold
// the model or `to` is not free, bad_file for numbers that leave the range of F16.
std::size_t convert_model(const ModelDirectory& from, const std::filesystem::path& to,
                          const ConvertSettings& settings,
                          const std::function<bool(std::size_t, std::size_t)>& on_tensor = {});

}  // namespace moe
