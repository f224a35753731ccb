#include "common/io/checkpoint_directory.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "common/io/atomic_file.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kPrefix = "checkpoint-", kTemporary = ".tmp";
constexpr std::uint64_t kMostManifestBytes = 1 << 20;

std::string name_of_step(std::int64_t step) {
  std::string digits = std::to_string(step);
  if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
  return std::string(kPrefix) + digits;
}

// The step of a finished checkpoint's directory name; nothing for any other name, .tmp ones among them.
std::optional<std::int64_t> step_of_name(const std::string& name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string digits = name.substr(kPrefix.size());
  if (digits.size() < 8 || digits.size() > 18 || digits.find_first_not_of("0123456789") != digits.npos)
    return std::nullopt;
  return std::stoll(digits);
}

std::vector<fs::path> entries_of(const fs::path& directory) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
    entries.push_back(it->path());
  if (error) system_failure(directory, "cannot be listed", error.value());
  return entries;
}

void make_directory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) system_failure(directory, "cannot be created", error.value());
}

void remove_tree(const fs::path& directory) {
  std::error_code error;
  fs::remove_all(directory, error);
  if (error) system_failure(directory, "cannot be removed", error.value());
}

fs::path with_suffix(fs::path path, std::string_view suffix) {
  return path += suffix;
}

void rename_or_fail(const fs::path& from, const fs::path& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) system_failure(to, "cannot be renamed to", errno);
}

// Puts `fresh` where `target` is. Where a directory already stands there the two are exchanged in one step,
// which no kill can split; file systems that cannot do this get two renames. What was there ends under the
// name `fresh`.
void put_in_place(const fs::path& fresh, const fs::path& target) {
  std::error_code ignored;
  if (!fs::exists(target, ignored)) return rename_or_fail(fresh, target);
#ifdef RENAME_EXCHANGE
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) return;
#endif
  const fs::path aside = with_suffix(target, ".old.tmp");
  rename_or_fail(target, aside);
  rename_or_fail(fresh, target);
  rename_or_fail(aside, fresh);
}

// Renamed first: a removal that is interrupted leaves a .tmp and not a checkpoint with holes.
void discard(const fs::path& checkpoint) {
  const fs::path doomed = with_suffix(checkpoint, kTemporary);
  rename_or_fail(checkpoint, doomed);
  remove_tree(doomed);
}

void remove_leftovers(const fs::path& run) {
  for (const fs::path& entry : entries_of(run)) {
    const std::string name = entry.filename().string();
    if (name.starts_with(kPrefix) && name.ends_with(kTemporary)) remove_tree(entry);
  }
}

// Keeps the `keep` last of the steps up to this one.
void remove_older(const fs::path& run, std::int64_t step, int keep) {
  std::vector<fs::path> checkpoints = list_checkpoints(run);
  std::erase_if(checkpoints,
                [&](const fs::path& path) { return *step_of_name(path.filename().string()) > step; });
  for (std::size_t i = 0; i + static_cast<std::size_t>(keep) < checkpoints.size(); ++i)
    discard(checkpoints[i]);
}

// Absolute, without a slash at the end: its last component is its name.
fs::path named(const fs::path& directory) {
  const fs::path normal = fs::absolute(directory).lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

std::string remedy_for(const fs::path& checkpoint) {
  const fs::path absolute = named(checkpoint);
  fs::path before;
  std::error_code ignored;
  if (const auto step = step_of_name(absolute.filename().string());
      step && fs::is_directory(absolute.parent_path(), ignored))
    for (const fs::path& other : list_checkpoints(absolute.parent_path()))
      if (*step_of_name(other.filename().string()) < *step) before = other;
  if (before.empty())
    return "there is no earlier checkpoint in this run: restore it from a copy, or start again";
  return "go on from the checkpoint before it: " + before.string();
}

void verify_file(const fs::path& directory, const ManifestFile& file, const std::string& remedy) {
  const fs::path path = directory / file.name;
  std::error_code error;
  if (!fs::exists(path, error)) bad_file(path, "is missing, the manifest lists it", remedy);
  if (const auto bytes = FileReader(path).size(); bytes != file.sum.bytes)
    bad_file(path, concat("has ", bytes, " bytes, expected ", file.sum.bytes), remedy);
  if (const FileSum found = sum_of_file(path); found != file.sum)
    bad_file(path, "is damaged: CRC-32 " + hex32(found.crc32) + ", expected " + hex32(file.sum.crc32),
             remedy);
}

// A directory above runs is a likely slip: runs/demo instead of runs/demo/moe.
std::string other_runs(const fs::path& path) {
  std::string runs;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.is_directory() && !list_checkpoints(entry.path()).empty())
      runs += concat(runs.empty() ? "" : " or ", entry.path().string());
  return runs.empty() ? "train until one is written, or give another run" : "did you mean " + runs + "?";
}

// The checkpoint that `path` means.
fs::path resolve(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error))
    bad_file(path, error || !fs::exists(path, error) ? "does not exist" : "is no directory",
             "give the directory of a run or of a checkpoint");
  if (fs::exists(path / kManifestName, error)) return path;
  fs::path normal = fs::absolute(path).lexically_normal();
  if (!normal.has_filename()) normal = normal.parent_path();  // a slash at the end
  if (step_of_name(normal.filename().string()))
    bad_file(path / kManifestName, "is missing", remedy_for(normal));
  const std::vector<fs::path> checkpoints = list_checkpoints(path);
  if (checkpoints.empty()) bad_file(path, "has no finished checkpoint", other_runs(path));
  return checkpoints.back();
}

}  // namespace

CheckpointWriter::CheckpointWriter(fs::path run, std::int64_t step)
    : run_(std::move(run)),
      final_(run_ / name_of_step(step)),
      temporary_(with_suffix(final_, kTemporary)),
      step_(step) {
  MOE_CHECK(step >= 0, "step ", step);
  make_directory(run_);
  remove_leftovers(run_);
  make_directory(temporary_);
}

CheckpointWriter::~CheckpointWriter() {
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
}

fs::path CheckpointWriter::file(const std::string& name) {
  MOE_CHECK(is_plain_name(name), quote(name), " is no plain file name");
  MOE_CHECK(files_.try_emplace(name).second, quote(name), " twice");
  return temporary_ / name;
}

void CheckpointWriter::written(const std::string& name, FileSum sum) {
  MOE_CHECK(files_.contains(name), quote(name), " was not asked for with file()");
  files_[name] = sum;
}

ManifestFile CheckpointWriter::settle(const std::string& name, const std::optional<FileSum>& sum) const {
  const fs::path path = temporary_ / name;
  sync_path(path);
  if (!sum) return {name, sum_of_file(path)};
  if (const auto bytes = FileReader(path).size(); bytes != sum->bytes)
    bad_file(path, concat("has ", bytes, " bytes after writing ", sum->bytes), "check the disk");
  return {name, *sum};
}

fs::path CheckpointWriter::commit(int keep) {
  MOE_CHECK(keep >= 1, "keep ", keep);
  MOE_CHECK(!temporary_.empty(), final_.string(), " is committed");
  Manifest manifest{step_, fields, {}};
  for (const auto& [name, sum] : files_) manifest.files.push_back(settle(name, sum));
  write_file_atomically(temporary_ / kManifestName, format_manifest(manifest));  // syncs the directory, too
  put_in_place(temporary_, final_);
  sync_path(run_);
  remove_tree(std::exchange(temporary_, {}));  // the checkpoint that was replaced, if there was one
  remove_older(run_, step_, keep);
  return final_;
}

bool Checkpoint::has(const std::string& name) const {
  return std::any_of(manifest.files.begin(), manifest.files.end(),
                     [&](const ManifestFile& f) { return f.name == name; });
}

fs::path Checkpoint::file(const std::string& name) const {
  if (!has(name))
    bad_file(directory, "has no file " + quote(name),
             "use a checkpoint that was written by the same program");
  return directory / name;
}

std::vector<fs::path> list_checkpoints(const fs::path& run) {
  std::vector<std::pair<std::int64_t, fs::path>> found;
  for (const fs::path& entry : entries_of(run))
    if (const auto step = step_of_name(entry.filename().string())) found.emplace_back(*step, entry);
  std::sort(found.begin(), found.end());
  std::vector<fs::path> paths;
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

Checkpoint open_checkpoint(const fs::path& path) {
  Checkpoint checkpoint;
  checkpoint.directory = resolve(path);
  const std::string remedy = remedy_for(checkpoint.directory);
  const fs::path manifest = checkpoint.directory / kManifestName;
  std::error_code error;
  if (!fs::exists(manifest, error)) bad_file(manifest, "is missing", remedy);
  checkpoint.manifest =
      parse_manifest(read_text_file(manifest, kMostManifestBytes), manifest.string(), remedy);
  for (const ManifestFile& file : checkpoint.manifest.files) verify_file(checkpoint.directory, file, remedy);
  return checkpoint;
}

}  // namespace moe
