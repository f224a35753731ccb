#include "common/app/utf8.hpp"

#include <gtest/gtest.h>

namespace moe {
namespace {

TEST(Utf8, WellFormedCharactersOfEveryLength) {
  for (const auto& [text, code] :
       {std::pair<const char*, char32_t>{"A", 'A'}, {"ä", 0xE4}, {"語", 0x8A9E}, {"🎲", 0x1F3B2}}) {
    const Utf8Char c = decode_utf8(text);
    EXPECT_TRUE(c.valid);
    EXPECT_EQ(c.length, std::string_view(text).size());
    EXPECT_EQ(c.code, code);
  }
}

TEST(Utf8, BrokenBytesAreTakenOneByOne) {
  // alone in the middle, cut off, overlong /, surrogate, beyond U+10FFFF, never a first byte
  for (const char* text :
       {"\x80", "\xE8\xAA", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"}) {
    const Utf8Char c = decode_utf8(text);
    EXPECT_FALSE(c.valid) << text;
    EXPECT_EQ(c.length, 1u);
  }
}

TEST(Utf8, PrintableTextReplacesBadBytesAndControls) {
  EXPECT_EQ(printable_utf8("a\xFFz\033[1m\tü\n"), "a\xEF\xBF\xBDz\xEF\xBF\xBD[1m\tü\n");
}

TEST(Utf8, WidthCountsColumnsNotBytes) {
  EXPECT_EQ(display_width(""), 0);
  EXPECT_EQ(display_width("Grüße"), 5);
  EXPECT_EQ(display_width("言語"), 4);
  EXPECT_EQ(display_width("\033[48;5;12mab\033[0m"), 2);
  EXPECT_EQ(display_width("e\xCC\x81"), 1);  // e and a combining acute accent
}

TEST(Utf8, TruncationEndsInAnEllipsisAndFits) {
  EXPECT_EQ(truncate_to_width("abcdef", 6), "abcdef");
  EXPECT_EQ(truncate_to_width("abcdef", 5), "abcd…");
  EXPECT_EQ(truncate_to_width("言語学", 4), "言…");
  EXPECT_EQ(truncate_to_width("abc", 0), "");
}

TEST(Utf8, PaddingFillsColumns) {
  EXPECT_EQ(pad_right("ü", 3), "ü  ");
  EXPECT_EQ(pad_left("語", 3), " 語");
  EXPECT_EQ(pad_left("long", 3), "long");
}

}  // namespace
}  // namespace moe
