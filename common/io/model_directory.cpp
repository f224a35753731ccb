#include "common/io/model_directory.hpp"

#include "common/io/checkpoint_directory.hpp"
#include "common/io/hf_names.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;
constexpr const char* kConfig = "config.json";

fs::path resolve_model(const fs::path& path) {
  return is_model_directory(path) ? path : open_checkpoint(path).directory;
}

}  // namespace

bool is_model_directory(const fs::path& path) {
  std::error_code error;
  return fs::exists(path / kConfig, error) && !fs::exists(path / kManifestName, error);
}

ModelDirectory::ModelDirectory(const fs::path& path)
    : path_(resolve_model(path)), json_(read_model_json(path_ / kConfig)), files_(path_) {
  const std::vector<HfSlice> tensors = hf_tensors(json_.model, json_.layout);
  std::vector<ModelFiles::Expected> expected;
  for (const HfSlice& t : tensors) expected.push_back({t.name, t.shape});
  files_.check(expected);
}

void ModelDirectory::read(std::span<const NamedTensor> parameters) const {
  for (const NamedTensor& view : hf_views(json_.model, parameters, json_.layout))
    files_.read(view.name, view.tensor);
}

}  // namespace moe
