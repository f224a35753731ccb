#include "common/train/load_tokenizer.hpp"

#include "common/io/checkpoint_directory.hpp"
#include "common/io/tokenizer_json.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;

bool has_file(const fs::path& directory, const char* name) {
  std::error_code ignored;
  return fs::is_regular_file(directory / name, ignored);
}

// Where the tokenizer's files are; empty: nowhere.
fs::path find_files(const fs::path& path) {
  if (!has_file(path, kManifestName)) {
    if (has_file(path, "tokenizer.json") || has_file(path, "vocab.json")) return path;
    if (list_checkpoints(path).empty()) return {};  // a directory of a model alone
  }
  const Checkpoint checkpoint = open_checkpoint(path);  // verified
  return checkpoint.has("tokenizer.json") ? checkpoint.file("tokenizer.json") : fs::path();
}

}  // namespace

std::shared_ptr<const Tokenizer> load_tokenizer(const fs::path& path, std::int64_t vocabulary) {
  const fs::path files = find_files(path);
  if (files.empty()) {
    auto bytes = std::make_shared<ByteTokenizer>();
    if (vocabulary == bytes->vocabulary()) return bytes;
    bad_file(path, concat("has no tokenizer, and a model of ", vocabulary, " tokens does not read bytes"),
             "put the model's tokenizer.json beside it");
  }
  auto bpe = std::make_shared<BpeTokenizer>(read_tokenizer(files));
  if (bpe->vocabulary() > vocabulary)
    bad_file(files, concat("has ", bpe->vocabulary(), " tokens, its model only ", vocabulary),
             "take the tokenizer that belongs to this model");
  return bpe;
}

}  // namespace moe
