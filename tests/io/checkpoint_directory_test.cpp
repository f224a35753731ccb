#include "common/io/checkpoint_directory.hpp"

#include "common/io/safetensors.hpp"
#include "tests/io/support.hpp"
#include "tests/support/compare.hpp"

namespace moe {
namespace {

using namespace moe::testing;
namespace fs = std::filesystem;

// A checkpoint with a tensor file whose sum is known while writing, and a text that is read back.
fs::path write_checkpoint(const fs::path& run, std::int64_t step, int keep = 2) {
  Context ctx;
  CheckpointWriter writer(run, step);
  const std::vector<NamedTensor> tensors = {{"w", tensor_of(ctx, random_normal<float>(33, 1), {33})}};
  writer.written("model.safetensors", write_tensors(writer.file("model.safetensors"), tensors));
  put(writer.file("notes.txt"), "step " + std::to_string(step));
  writer.fields["seed"] = "7";
  return writer.commit(keep);
}

std::vector<std::string> names_in(const fs::path& run) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(run)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}
using Names = std::vector<std::string>;

TEST(Checkpoint, RoundTripsThroughRunAndThroughItsOwnDirectory) {
  TemporaryDirectory directory;
  const fs::path run = directory / "deep/run";
  const fs::path written = write_checkpoint(run, 120);
  EXPECT_EQ(written, run / "checkpoint-00000120");
  for (const fs::path& path : {run, run / "", written, written / ""}) {
    const Checkpoint checkpoint = open_checkpoint(path);
    EXPECT_EQ(checkpoint.manifest.step, 120);
    EXPECT_EQ(checkpoint.manifest.fields, (Metadata{{"seed", "7"}}));
    EXPECT_EQ(contents(checkpoint.file("notes.txt")), "step 120");
    EXPECT_TRUE(checkpoint.has("model.safetensors"));
    EXPECT_FALSE(checkpoint.has("other"));
    EXPECT_TRUE(says(complaint([&] { checkpoint.file("other"); }), "has no file \"other\""));
  }
  EXPECT_EQ(names_in(written), (Names{"manifest.json", "model.safetensors", "notes.txt"}));
}

TEST(Checkpoint, NamesSortByStepAndGrowBeyondEightDigits) {
  TemporaryDirectory directory;
  for (const std::int64_t step : {0, 99999999, 100000000}) write_checkpoint(directory.path(), step, 3);
  const auto list = list_checkpoints(directory.path());
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].filename(), "checkpoint-00000000");
  EXPECT_EQ(list[2].filename(), "checkpoint-100000000");
  EXPECT_EQ(open_checkpoint(directory.path()).manifest.step, 100000000);
}

TEST(Checkpoint, OlderOnesGoBeyondKeep) {
  TemporaryDirectory directory;
  for (int step = 1; step <= 5; ++step) write_checkpoint(directory.path(), step);
  EXPECT_EQ(names_in(directory.path()), (Names{"checkpoint-00000004", "checkpoint-00000005"}));
  write_checkpoint(directory.path(), 6, 1);
  EXPECT_EQ(names_in(directory.path()), (Names{"checkpoint-00000006"}));
}

// Going on from an earlier checkpoint must neither remove what it writes nor what lies ahead.
TEST(Checkpoint, LaterStepsAreLeftAlone) {
  TemporaryDirectory directory;
  for (const int step : {10, 20, 30}) write_checkpoint(directory.path(), step, 3);
  write_checkpoint(directory.path(), 15, 1);
  EXPECT_EQ(names_in(directory.path()),
            (Names{"checkpoint-00000015", "checkpoint-00000020", "checkpoint-00000030"}));
}

TEST(Checkpoint, SameStepIsReplaced) {
  TemporaryDirectory directory;
  const fs::path path = write_checkpoint(directory.path(), 3);
  CheckpointWriter writer(directory.path(), 3);
  put(writer.file("notes.txt"), "again");
  writer.commit();
  EXPECT_EQ(names_in(directory.path()), (Names{"checkpoint-00000003"}));
  EXPECT_EQ(names_in(path), (Names{"manifest.json", "notes.txt"}));
  EXPECT_EQ(contents(open_checkpoint(directory.path()).file("notes.txt")), "again");
}

TEST(Checkpoint, WithoutCommitNothingHappened) {
  TemporaryDirectory directory;
  write_checkpoint(directory.path(), 1);
  {
    CheckpointWriter writer(directory.path(), 2);
    put(writer.file("notes.txt"), "x");
    EXPECT_EQ(open_checkpoint(directory.path()).manifest.step, 1);
  }
  EXPECT_EQ(names_in(directory.path()), (Names{"checkpoint-00000001"}));
}

TEST(Checkpoint, LeftoversAreIgnoredAndThenRemoved) {
  TemporaryDirectory directory;
  write_checkpoint(directory.path(), 1);
  fs::copy(directory / "checkpoint-00000001", directory / "checkpoint-00000009.tmp");
  fs::create_directory(directory / "checkpoint-5");  // not a name of ours
  EXPECT_EQ(open_checkpoint(directory.path()).manifest.step, 1);
  write_checkpoint(directory.path(), 2);
  EXPECT_EQ(names_in(directory.path()),
            (Names{"checkpoint-00000001", "checkpoint-00000002", "checkpoint-5"}));
}

// A number of steps that no integer holds, and files that only end like a leftover.
TEST(Checkpoint, NamesThatAreNoneAreLeftAlone) {
  testing::TemporaryDirectory run;
  const fs::path huge = run / "checkpoint-99999999999999999999", mine = run / "notes.tmp";
  fs::create_directories(huge);
  fs::create_directories(mine);
  CheckpointWriter writer(run.path(), 3);
  const fs::path written = writer.commit(1);
  EXPECT_EQ(list_checkpoints(run.path()), std::vector<fs::path>{written});
  EXPECT_TRUE(fs::exists(huge));
  EXPECT_TRUE(fs::exists(mine));
}

TEST(Checkpoint, MisuseIsAProgrammingError) {
  TemporaryDirectory directory;
  EXPECT_THROW(CheckpointWriter(directory.path(), -1), Error);
  CheckpointWriter writer(directory.path(), 1);
  for (const char* name : {"", ".", "..", "a/b", "/etc/passwd", "manifest.json"})
    EXPECT_THROW(writer.file(name), Error) << name;
  EXPECT_THROW(writer.written("never asked for", {}), Error);
  put(writer.file("a"), "x");
  EXPECT_THROW(writer.file("a"), Error);
  EXPECT_THROW(writer.commit(0), Error);
  writer.commit();
  EXPECT_THROW(writer.commit(), Error);
}

TEST(Checkpoint, FileThatWasNeverWrittenIsRefused) {
  TemporaryDirectory directory;
  CheckpointWriter writer(directory.path(), 1);
  writer.file("forgotten");
  EXPECT_TRUE(says(complaint([&] { writer.commit(); }), "forgotten: cannot be opened"));
  EXPECT_TRUE(list_checkpoints(directory.path()).empty());
}

TEST(Checkpoint, SumOfTheWriterIsComparedWithTheFile) {
  TemporaryDirectory directory;
  CheckpointWriter writer(directory.path(), 1);
  put(writer.file("a"), "cut");
  writer.written("a", {6, crc32_of("cut of")});
  EXPECT_TRUE(says(complaint([&] { writer.commit(); }), "has 3 bytes after writing 6"));
}

TEST(Checkpoint, WrongPathsAreExplained) {
  TemporaryDirectory directory;
  EXPECT_TRUE(says(complaint([&] { open_checkpoint(directory / "none"); }), "does not exist"));
  EXPECT_TRUE(says(complaint([&] { open_checkpoint(directory.path()); }), "has no finished checkpoint"));
  put(directory / "file", "x");
  EXPECT_TRUE(says(complaint([&] { open_checkpoint(directory / "file"); }), "is no directory"));
}

class DamagedCheckpoint : public ::testing::Test {
 protected:
  DamagedCheckpoint() : path_(write_checkpoint(run_.path(), 2)) {}
  std::string complaint_of(const fs::path& path) {
    return complaint([&] { open_checkpoint(path); });
  }
  TemporaryDirectory run_;
  fs::path path_;
};

TEST_F(DamagedCheckpoint, MissingFileIsNamed) {
  fs::remove(path_ / "notes.txt");
  EXPECT_TRUE(says(complaint_of(run_.path()), "checkpoint-00000002/notes.txt: is missing"));
}

TEST_F(DamagedCheckpoint, ShortAndLongFilesAreNamedWithBothSizes) {
  fs::resize_file(path_ / "notes.txt", 5);
  EXPECT_TRUE(says(complaint_of(run_.path()), "notes.txt: has 5 bytes, expected 6"));
  fs::resize_file(path_ / "notes.txt", 7);
  EXPECT_TRUE(says(complaint_of(run_.path()), "notes.txt: has 7 bytes, expected 6"));
}

TEST_F(DamagedCheckpoint, MissingManifestIsNamed) {
  fs::remove(path_ / "manifest.json");
  for (const fs::path& path : {run_.path(), path_, path_ / ""})
    EXPECT_TRUE(says(complaint_of(path), "manifest.json: is missing")) << path;
}

TEST_F(DamagedCheckpoint, RemedyIsTheCheckpointBefore) {
  EXPECT_EQ(complaint_of(path_), "");
  put(path_ / "notes.txt", "stop 2");
  EXPECT_TRUE(says(complaint_of(path_), "is damaged: CRC-32"));
  EXPECT_TRUE(says(complaint_of(path_), "no earlier checkpoint"));
  write_checkpoint(run_.path(), 3);
  put(run_ / "checkpoint-00000003/notes.txt", "stop 3");
  EXPECT_TRUE(says(complaint_of(run_.path()), "go on from the checkpoint before it: " + path_.string()));
  EXPECT_TRUE(says(complaint_of(run_ / "checkpoint-00000003/"),
                   "go on from the checkpoint before it: " + path_.string()));
}

TEST_F(DamagedCheckpoint, AnyFlippedBitInAnyFileIsSeen) {
  for (const char* name : {"manifest.json", "model.safetensors", "notes.txt"}) {
    const std::string good = contents(path_ / name);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
      put(path_ / name, bad);
      ASSERT_TRUE(says(complaint_of(path_), name)) << "bit " << bit;
    }
    put(path_ / name, good);
    ASSERT_EQ(complaint_of(path_), "");
  }
}

TEST_F(DamagedCheckpoint, EveryTruncationOfTheManifestIsSeen) {
  const std::string good = contents(path_ / "manifest.json");
  for (std::size_t n = 0; n < good.size(); ++n) {
    put(path_ / "manifest.json", good.substr(0, n));
    ASSERT_TRUE(says(complaint_of(path_), "manifest.json")) << n;
  }
  put(path_ / "manifest.json", good + "\n");
  EXPECT_TRUE(says(complaint_of(path_), "manifest.json: is damaged"));
}

// Replaces `from` in a manifest and gives it the checksum that belongs to the new text: what a later version,
// or somebody with intent, would write.
std::string resealed(std::string manifest, const std::string& from, const std::string& to) {
  const std::size_t at = manifest.find(from), seal = manifest.find("  \"manifest_crc32\"");
  EXPECT_NE(at, manifest.npos) << from;
  std::string body = manifest.substr(0, seal).replace(at, from.size(), to);
  return body + "  \"manifest_crc32\": \"" + hex32(crc32_of(body)) + "\"\n}\n";
}

TEST(Manifest, FaultsBehindARightChecksumAreNamed) {
  const std::string good = format_manifest({5, {{"k", "v"}}, {{"a.bin", {3, 0xabcdef01}}}});
  EXPECT_EQ(parse_manifest(good, "m", "r").files.at(0).sum, (FileSum{3, 0xabcdef01}));
  EXPECT_EQ(resealed(good, "\"step\": 5", "\"step\": 5"), good);
  const struct {
    const char *from, *to, *complaint;
  } cases[] = {
      {"\"version\": 1", "\"version\": 2", "m: has format version 2, this program reads 1"},
      {"\"version\": 1", "\"version\": \"1\"", "field \"version\" has the wrong type"},
      {"moe-odyssey-checkpoint", "something", "is no checkpoint manifest"},
      {"\"step\": 5", "\"step\": -5", "field \"step\" has the wrong type"},
      {"\"step\": 5", "\"step\": 9223372036854775808", "field \"step\" is 9223372036854775808"},
      {"\"step\": 5", "\"stop\": 5", "lacks field \"step\""},
      {"\"k\": \"v\"", "\"k\": 1", "field \"k\" has the wrong type"},
      {"\"files\": [", "\"files\": [7, ", "lacks field \"name\""},
      {"a.bin", "../a.bin", "no plain file name"},
      {"a.bin", "/etc/passwd", "no plain file name"},
      {"a.bin", "a\\u0000b", "no plain file name"},
      {"\"bytes\": 3", "\"bytes\": 3.5", "field \"bytes\" has the wrong type"},
      {"abcdef01", "abcdef0", "expected eight hexadecimal digits"},
      {"abcdef01", "abcdefgh", "expected eight hexadecimal digits"},
  };
  for (const auto& c : cases)
    EXPECT_TRUE(says(complaint([&] { parse_manifest(resealed(good, c.from, c.to), "m", "r"); }), c.complaint))
        << c.to;
}

TEST(Manifest, OfAnotherVersionIsRefusedEvenWithoutOurChecksum) {
  const std::string text =
      complaint([] { parse_manifest(R"({"format":"moe-odyssey-checkpoint","version":7})", "m", "r"); });
  EXPECT_TRUE(says(text, "has format version 7"));
  EXPECT_TRUE(says(text, "a newer one"));
}

}  // namespace
}  // namespace moe
