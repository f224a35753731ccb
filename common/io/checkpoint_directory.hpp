// Checkpoints of a run: `RUN/checkpoint-00000120/` with the files a program puts there and manifest.json.
//
//   CheckpointWriter writer("runs/first", 120);
//   writer.written("model.safetensors", write_tensors(writer.file("model.safetensors"), tensors));
//   writer.fields["seed"] = "7";
//   writer.commit();
//   ...
//   Checkpoint checkpoint = open_checkpoint("runs/first");
//   read_tensors(checkpoint.file("model.safetensors"), tensors);
//
// Files are written into `checkpoint-00000120.tmp/`, made durable, then the directory is renamed: killed at
// any moment, a run keeps every checkpoint that was committed. Names that end in .tmp are never read. One
// program writes to a run at a time.
#pragma once

#include <map>
#include <optional>

#include "common/io/manifest.hpp"

namespace moe {

class CheckpointWriter {
 public:
  // Makes the run directory if needed, and removes what killed programs left there half done.
  CheckpointWriter(std::filesystem::path run, std::int64_t step);  // 0 <= step
  ~CheckpointWriter();  // without commit(): as if it had never been
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  std::filesystem::path file(const std::string& name);  // where to write it; a plain name, each once
  // The sum that was computed while writing. Files without one are read back by commit(), which is slower and
  // cannot see what went wrong on the way to the disk.
  void written(const std::string& name, FileSum sum);
  Metadata fields;

  // Every file() must exist by now. Replaces a checkpoint of the same step. Of the earlier steps the last
  // `keep` - 1 stay, the others are removed; later steps are not touched. `keep` >= 1. Returns the
  // checkpoint's path.
  std::filesystem::path commit(int keep = 2);

 private:
  ManifestFile settle(const std::string& name, const std::optional<FileSum>& sum) const;

  std::filesystem::path run_, final_, temporary_;
  std::int64_t step_;
  std::map<std::string, std::optional<FileSum>> files_;
};

struct Checkpoint {
  std::filesystem::path directory;
  Manifest manifest;
  bool has(const std::string& name) const;
  std::filesystem::path file(const std::string& name) const;  // UserError(bad_file) when it has none
};

// The checkpoints of a run by rising step; unverified.
std::vector<std::filesystem::path> list_checkpoints(const std::filesystem::path& run);

// `path` is a checkpoint, or a run, which means its newest checkpoint. Reads every byte once to verify size
// and CRC-32 of all files; a UserError(bad_file) names the file, what was found and expected, and the
// checkpoint before.
Checkpoint open_checkpoint(const std::filesystem::path& path);

}  // namespace moe
