// Submissions are unpacked as far as they are wanted, and refused where they reach for more.
#include "common/grade/submission.hpp"

#include <gtest/gtest.h>

#include "tests/support/temporary_directory.hpp"

#ifdef MOE_TEST_LIBARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif

namespace moe::grade {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

const std::set<std::string> kWanted{"gate.cpp", "plan.cpp"};

TEST(Submission, OfADirectoryHasItsAnswersAndNoLinks) {
  const TemporaryDirectory from, to, linked;
  fs::create_directories(from / "deep/er");
  testing::put(from / "deep/er/gate.cpp", "answer");
  testing::put(from / "notes.txt", "other");
  EXPECT_EQ(unpack(from.path(), kWanted, to.path()), "");
  EXPECT_EQ(testing::contents(to / "gate.cpp"), "answer");
  EXPECT_FALSE(fs::exists(to / "notes.txt"));
  fs::create_symlink("/etc/passwd", linked / "gate.cpp");
  EXPECT_NE(unpack(linked.path(), kWanted, to.path()).find("link"), std::string::npos);
}

#ifdef MOE_TEST_LIBARCHIVE

struct Entry {
  std::string path, content;
  unsigned type = AE_IFREG;
  std::string link{};
};

void write_archive(const fs::path& file, const std::vector<Entry>& entries, bool zip) {
  archive* to = archive_write_new();
  zip ? archive_write_set_format_zip(to) : archive_write_set_format_pax_restricted(to);
  if (!zip) archive_write_add_filter_gzip(to);
  ASSERT_EQ(archive_write_open_filename(to, file.c_str()), ARCHIVE_OK);
  for (const Entry& e : entries) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, e.path.c_str());
    archive_entry_set_filetype(entry, e.type);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(e.content.size()));
    if (!e.link.empty()) archive_entry_set_symlink(entry, e.link.c_str());
    archive_write_header(to, entry);
    archive_write_data(to, e.content.data(), e.content.size());
    archive_entry_free(entry);
  }
  archive_write_free(to);
}

struct Case {
  const char* name;
  std::vector<Entry> entries;
  const char* refused;  // part of the reason; "": it is not
};

TEST(Submission, OfAnArchiveIsRefusedWhereItReachesForMore) {
  const Entry good{"work/gate.cpp", "answer"};
  const std::vector<Case> cases = {
      {"good", {good, {"work/big.txt", std::string(1 << 20, 'x')}}, ""},
      {"up", {good, {"../plan.cpp", "x"}}, "out of the archive"},
      {"inside up", {good, {"work/../../plan.cpp", "x"}}, "out of the archive"},
      {"absolute", {good, {"/tmp/plan.cpp", "x"}}, "out of the archive"},
      {"link", {good, {"plan.cpp", "", AE_IFLNK, "/etc/passwd"}}, "a link"},
      {"device", {good, {"pipe", "", AE_IFIFO}}, "a link or a device"},
      {"twice", {good, {"other/gate.cpp", "x"}}, "two files are named gate.cpp"},
      {"large answer", {{"gate.cpp", std::string(2 << 20, 'x')}}, "larger than"},
      {"bomb", {good, {"zeros", std::string(65 << 20, '\0')}}, "when unpacked"},
  };
  for (const Case& c : cases)
    for (const bool zip : {true, false}) {
      if (zip && std::string(c.name) == "device") continue;  // zip has none
      SCOPED_TRACE(std::string(c.name) + (zip ? ", zip" : ", tar.gz"));
      const TemporaryDirectory directory, to;
      write_archive(directory / "a", c.entries, zip);
      const std::string reason = unpack(directory / "a", kWanted, to.path());
      if (*c.refused == '\0') {
        EXPECT_EQ(reason, "");
        EXPECT_EQ(testing::contents(to / "gate.cpp"), "answer");
        EXPECT_EQ(std::distance(fs::directory_iterator(to.path()), {}), 1);
      } else {
        EXPECT_NE(reason.find(c.refused), std::string::npos) << reason;
      }
    }
}

// This program sets no locale, as `moe` sets none: names that the archive calls UTF-8 cannot be put into its characters.
TEST(Submission, MayHaveFolderNamesOfAnyLanguage) {
  const TemporaryDirectory directory, to;
  write_archive(directory / "a", {{"L\u00f6sung/\u89e3\u7b54/gate.cpp", "answer"}}, true);
  std::string zip = testing::contents(directory / "a");
  for (const auto& [header, flags] : {std::pair{"PK\3\4", 6}, {"PK\1\2", 8}}) {
    const std::size_t at = zip.find(header);
    ASSERT_NE(at, std::string::npos);
    zip[at + static_cast<std::size_t>(flags) + 1] |= 8;  // names are UTF-8
  }
  testing::put(directory / "a", zip);
  EXPECT_EQ(unpack(directory / "a", kWanted, to.path()), "");
  EXPECT_EQ(testing::contents(to / "gate.cpp"), "answer");
}

TEST(Submission, ManyFilesAndBrokenArchivesAreRefused) {
  const TemporaryDirectory directory, to;
  std::vector<Entry> many;
  for (int i = 0; i < 50; ++i) many.push_back({std::to_string(i), "x"});
  write_archive(directory / "many", many, true);
  EXPECT_NE(unpack(directory / "many", kWanted, to.path(), {.entries = 20}).find("more than 20 files"),
            std::string::npos);
  const std::string whole = testing::contents(directory / "many");
  testing::put(directory / "text", "this is no archive");
  testing::put(directory / "empty", "");
  for (const char* name : {"text", "empty", "absent"})
    EXPECT_NE(unpack(directory / name, kWanted, to.path()), "") << name;
  for (std::size_t cut = 1; cut < 200;
       cut += 13) {  // cut short: refused, or read as far as it is whole, never a crash
    testing::put(directory / "cut", whole.substr(0, cut));
    EXPECT_EQ(unpack(directory / "cut", kWanted, to.path()).find("crashes"), std::string::npos);
  }
}

#endif

}  // namespace
}  // namespace moe::grade
