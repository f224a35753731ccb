#include "common/data/domain_source.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "tests/data/support.hpp"

namespace moe {
namespace {

using testing::expect_user_error;
using testing::numbered_lines;
using testing::TemporaryFolder;

DomainSource packaged(std::vector<std::string> where) {
  return testing::packaged("sample", std::move(where), "sample-package");
}

TEST(ReadFile, PlainAndGzipReadTheSame) {
  const TemporaryFolder folder;
  std::string text("any bytes: \0\xff\n", 14);
  for (int i = 0; i < 16; ++i) text += text;  // more than one chunk
  EXPECT_EQ(read_file(folder.write("a.txt", text)), text);
  EXPECT_EQ(read_file(folder.write_gz("a.txt.gz", text)), text);
}

TEST(ReadFile, EmptyFileIsEmptyText) {
  const TemporaryFolder folder;
  EXPECT_EQ(read_file(folder.write("empty", "")), "");
}

TEST(ReadFile, NamesWhatIsWrong) {
  const TemporaryFolder folder;
  expect_user_error(ExitCode::bad_file, "there is no such file", [&] { read_file(folder / "absent"); });
  expect_user_error(ExitCode::bad_file, "is a directory", [&] { read_file(folder / ""); });
  expect_user_error(ExitCode::bad_file, "is not a file", [&] { read_file("/dev/null"); });
}

TEST(ReadFile, UnreadableFileIsRefused) {
  const TemporaryFolder folder;
  const std::string path = folder.write("secret", "text");
  std::filesystem::permissions(path, std::filesystem::perms::none);
  if (std::ifstream(path).good()) GTEST_SKIP() << "this user may read everything";
  expect_user_error(ExitCode::bad_file, "Permission denied", [&] { read_file(path); });
}

TEST(ReadFile, TruncatedOrDamagedGzipIsRefused) {
  const TemporaryFolder folder;
  const std::string path = folder.write_gz("whole.gz", numbered_lines(5000));
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto half = folder.write("half.gz", bytes.substr(0, bytes.size() / 2));
  expect_user_error(ExitCode::bad_file, "cannot be read to its end", [&] { read_file(half); });
  bytes[bytes.size() - 5] ^= 1;  // in the checksum
  const auto damaged = folder.write("damaged.gz", bytes);
  expect_user_error(ExitCode::bad_file, "cannot be read to its end", [&] { read_file(damaged); });
}

TEST(ReadTexts, FilesComeInOrderOfPath) {
  const TemporaryFolder folder;
  folder.write("b.txt", "second");
  folder.write("a.h", "first");
  folder.write_gz("c.txt", "third");
  folder.write("c.other", "not matched");
  const std::vector<std::string> expected = {"first", "second", "third"};
  EXPECT_EQ(read_texts(packaged({folder / "*.{txt,h}"})), expected);
}

TEST(ReadTexts, TheFirstPatternThatMatchesIsTaken) {
  const TemporaryFolder folder;
  folder.write("b.txt", "second choice");
  folder.write("c.txt", "third choice");
  const std::vector<std::string> expected = {"second choice"};
  EXPECT_EQ(read_texts(packaged({folder / "a.txt", folder / "b.txt", folder / "c.txt"})), expected);
}

TEST(ReadTexts, OfSeveralVersionsTheHighestWithAMatchIsTaken) {
  const TemporaryFolder folder;
  folder.write("9/bits/a.h", "nine");
  folder.write("12/bits/a.h", "twelve");
  folder.write("13/bits/a.txt", "no header");
  const std::vector<std::string> expected = {"twelve"};
  EXPECT_EQ(read_texts(packaged({folder / "*/bits/*.h"})), expected);
}

TEST(ReadTexts, AbsentPackageGivesNothing) {
  const TemporaryFolder folder;
  EXPECT_TRUE(read_texts(packaged({folder / "*.txt", folder / "absent/*/b"})).empty());
}

TEST(ReadTexts, AProgramsOutputIsStripped) {
  DomainSource source = packaged({"/bin/echo", "/usr/bin/echo"});
  source.arguments = "Ge1:1 In the beginning";
  source.strip = strip_verse_reference;
  const std::vector<std::string> expected = {"In the beginning\n"};
  EXPECT_EQ(read_texts(source), expected);
}

TEST(ReadTexts, AProgramThatFailsCountsAsNotInstalled) {
  DomainSource source = packaged({"/bin/sh"});
  source.arguments = "-c 'echo partial; exit 1'";
  EXPECT_TRUE(read_texts(source).empty());
}

TEST(ReadTexts, LimitIsSharedInProportion) {
  const TemporaryFolder folder;
  folder.write("a", numbered_lines(30000));
  folder.write("b", numbered_lines(90000));
  DomainSource source = packaged({folder / "{a,b}"});
  source.limit = 480000;  // of 960,000
  const auto texts = read_texts(source);
  ASSERT_EQ(texts.size(), 2u);
  EXPECT_NEAR(static_cast<double>(texts[0].size()), 120000, 16400);
  EXPECT_NEAR(static_cast<double>(texts[1].size()), 360000, 16400);
  EXPECT_LE(texts[0].size() + texts[1].size(), 480000u);
}

TEST(ReadTexts, AnOwnPathIsLiteral) {
  const TemporaryFolder folder;
  folder.write("[a]*.txt", "brackets");
  folder.write("a.txt", "plain");
  const std::vector<std::string> expected = {"brackets"};
  EXPECT_EQ(read_texts(parse_text_argument("own=" + folder / "[a]*.txt")), expected);
}

TEST(EvenlySpread, TextThatFitsIsUntouched) {
  EXPECT_EQ(evenly_spread("abc", 3), "abc");
  EXPECT_EQ(evenly_spread("", 0), "");
}

TEST(EvenlySpread, KeepsWholeLinesInOrderFromEverywhere) {
  const std::string text = numbered_lines(100000);
  const std::int64_t limit = 300000;  // of 800,000
  const std::string kept = evenly_spread(text, limit);
  EXPECT_LE(static_cast<std::int64_t>(kept.size()), limit);
  EXPECT_GT(static_cast<std::int64_t>(kept.size()), limit - 17000);
  ASSERT_EQ(kept.size() % 8, 0u);
  int last = -1, quarter[4] = {};
  for (std::size_t at = 0; at < kept.size(); at += 8) {
    const int number = std::stoi(kept.substr(at + 2, 5));
    ASSERT_EQ(kept.compare(at, 8, text, 8 * static_cast<std::size_t>(number), 8), 0);
    ASSERT_GT(number, last);
    last = number;
    ++quarter[number / 25000];
  }
  for (const int lines : quarter)
    EXPECT_NEAR(lines, static_cast<double>(kept.size()) / 8 / 4, 2048);  // a block
}

TEST(EvenlySpread, TextWithoutLinesIsCutIntoBlocks) {
  const std::string kept = evenly_spread(std::string(1 << 20, 'a'), 1 << 19);
  EXPECT_EQ(kept.size(), std::size_t{1} << 19);
}

TEST(ParseTextArgument, SplitsAtTheFirstEqualsSign) {
  const DomainSource source = parse_text_argument("my-novel_2=dir/a=b.txt");
  EXPECT_EQ(source.name, "my-novel_2");
  EXPECT_EQ(source.where, std::vector<std::string>{"dir/a=b.txt"});
  EXPECT_TRUE(source.package.empty());
}

TEST(ParseTextArgument, MalformedIsAUsageError) {
  for (const char* bad : {"", "=", "name", "name=", "=path", "two words=path", "<b>=path"})
    expect_user_error(ExitCode::usage, "not of the form name=path", [&] { parse_text_argument(bad); });
}

TEST(DefaultDomains, EveryRowIsComplete) {
  std::set<std::string> names;
  for (const DomainSource& row : default_domains()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.where.empty() || row.package.empty() || row.source.empty() || row.licence.empty())
        << row.name;
    EXPECT_GT(row.limit, 0) << row.name;
    EXPECT_EQ(install_command({&row}), "apt-get install " + row.package);
  }
  EXPECT_EQ(names.size(), 6u);
}

// One test a package: the real text holds none of what its strip function is there to drop.
void expect_clean(const std::string& name, const std::vector<std::string>& unwanted) {
  const auto& table = default_domains();
  const auto row = std::find_if(table.begin(), table.end(), [&](const auto& r) { return r.name == name; });
  ASSERT_NE(row, table.end());
  const auto texts = read_texts(*row);
  if (texts.empty()) GTEST_SKIP() << row->package << " is not installed";
  std::size_t bytes = 0;
  for (const std::string& text : texts) {
    bytes += text.size();
    for (const std::string& piece : unwanted) EXPECT_EQ(text.find(piece), std::string::npos) << piece;
  }
  EXPECT_GT(bytes, 200000u);
  EXPECT_LE(static_cast<std::int64_t>(bytes), row->limit);
}

TEST(DefaultDomains, CppHasNoLicence) {
  expect_clean("cpp", {"WITHOUT ANY WARRANTY", "Copyright (C)", "gnu.org/licenses"});
}
TEST(DefaultDomains, DictionaryHasNoLicenceAndNoNumbers) {
  expect_clean("dictionary", {"LICENSEE", "PROVIDED \"AS IS\"", " v 0000 ", " n 0000 ", "  \n"});
}
TEST(DefaultDomains, ScriptureHasNoReferences) {
  expect_clean("scripture", {"Ge1:1", "\nPsa", "\nRev22"});
}

std::vector<std::string> layout() {
  return {"\n+---", "\n|--", "----------------------------", "\u00A0", "\n\n\n"};
}
TEST(DefaultDomains, EnglishHasNoLayout) {
  expect_clean("english", layout());
}
TEST(DefaultDomains, GermanHasNoLayout) {
  expect_clean("german", layout());
}
TEST(DefaultDomains, JapaneseHasNoLayout) {
  expect_clean("japanese", layout());
}

}  // namespace
}  // namespace moe
