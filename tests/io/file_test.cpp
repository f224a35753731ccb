#include "common/io/file.hpp"

#include <sys/stat.h>

#include "tests/io/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;

TEST(File, SumIsTheCrcOfTheStandardCheckText) {
  EXPECT_EQ(crc32_of("123456789"), 0xcbf43926u);  // the check value in every list of CRCs
  EXPECT_EQ(crc32_of(""), 0u);
  EXPECT_EQ(hex32(0xcbf43926u), "cbf43926");
  EXPECT_EQ(hex32(1), "00000001");
}

TEST(File, SumWhileWritingEqualsSumOfTheFile) {
  TemporaryDirectory directory;
  for (const std::size_t n : {0u, 1u, 31u, 4097u, (1u << 20) - 1, (1u << 20) + 1, 3u << 20}) {
    std::string text(n, '\0');
    for (std::size_t i = 0; i < n; ++i) text[i] = static_cast<char>(i * 131 >> 3);
    FileWriter writer(directory / "f", FileWriter::Existing::replace);
    writer.write(text.substr(0, n / 3));
    writer.write(text.substr(n / 3));
    const FileSum sum = writer.close();
    EXPECT_EQ(sum, (FileSum{n, crc32_of(text)}));
    EXPECT_EQ(sum_of_file(directory / "f"), sum);
    EXPECT_EQ(contents(directory / "f"), text);
  }
}

TEST(File, FullDiskIsReportedWithTheSystemsReason) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  FileWriter writer("/dev/full", FileWriter::Existing::replace);
  const std::string text = complaint([&] { writer.write("x"); });
  EXPECT_TRUE(says(text, "/dev/full: cannot write: No space left on device"));
  EXPECT_TRUE(says(text, "free some space"));
}

TEST(File, ReaderRefusesWhatIsNoRegularFile) {
  TemporaryDirectory directory;
  EXPECT_TRUE(says(complaint([&] { FileReader reader(directory / "none"); }), "No such file"));
  EXPECT_TRUE(says(complaint([&] { FileReader reader(directory.path()); }), "is not a regular file"));
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);  // must not wait for a writer
  EXPECT_TRUE(says(complaint([&] { FileReader reader(directory / "pipe"); }), "is not a regular file"));
}

TEST(File, ReaderNoticesAFileThatShrank) {
  TemporaryDirectory directory;
  put(directory / "f", "0123456789");
  const FileReader reader(directory / "f");
  char bytes[10] = {};
  reader.read(2, bytes, 8);
  EXPECT_EQ(std::string(bytes, 8), "23456789");
  std::filesystem::resize_file(directory / "f", 4);
  EXPECT_TRUE(says(complaint([&] { reader.read(2, bytes, 8); }), "ends at byte 4"));
}

TEST(File, TextFileAboveItsLimitIsRefused) {
  TemporaryDirectory directory;
  put(directory / "f", "12345");
  EXPECT_EQ(read_text_file(directory / "f", 5), "12345");
  EXPECT_TRUE(says(complaint([&] { read_text_file(directory / "f", 4); }), "5 bytes, at most 4"));
}

TEST(File, QuotedTextCannotControlTheTerminal) {
  EXPECT_EQ(quote("a\x1b[2J\n\xff"), "\"a?[2J??\"");
  EXPECT_LT(quote(std::string(1000, 'x')).size(), 110u);
}

}  // namespace
}  // namespace moe
