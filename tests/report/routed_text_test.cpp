#include "common/report/routed_text.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace moe {
namespace {

// One token a byte; byte i went to expert i with gate 0.75, in a second layer to expert 9.
std::vector<RoutedToken> bytes_of(std::string_view text) {
  std::vector<RoutedToken> tokens;
  for (std::size_t i = 0; i < text.size(); ++i)
    tokens.push_back({std::string(1, text[i]), {{{static_cast<int>(i), 0.75}}, {{9, 1}}}});
  return tokens;
}

std::vector<std::string> grouped(std::string_view text) {
  std::vector<std::string> out;
  const auto tokens = bytes_of(text);
  for (const TokenGroup& group : group_characters(tokens)) out.push_back(group.bytes);
  return out;
}

using Words = std::vector<std::string>;

TEST(RoutedText, BytesOfOneCharacterStandTogether) {
  EXPECT_EQ(grouped("aü語🎲z"), (Words{"a", "ü", "語", "🎲", "z"}));
  EXPECT_EQ(grouped(""), Words{});
}

TEST(RoutedText, BrokenBytesStandAlone) {
  EXPECT_EQ(grouped("\xFF\x80z"), (Words{"\xFF", "\x80", "z"}));
  EXPECT_EQ(grouped("\xE8\xAAz"), (Words{"\xE8\xAA", "z"}));  // a character that stops too early
  EXPECT_EQ(grouped("\xE8"), Words{"\xE8"});                  // the text ends inside a character
  EXPECT_EQ(grouped("\xC3\xC3\xBC"), (Words{"\xC3", "ü"}));
}

TEST(RoutedText, LongerTokensAreJoinedOnlyWhereACharacterIsCut) {
  const std::vector<RoutedToken> tokens{{"ab\xC3", {}},
                                        {"\xBC"
                                         "cd",
                                         {}},
                                        {"ef", {}}};
  const auto groups = group_characters(tokens);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].bytes, "abücd");
  EXPECT_EQ(groups[1].first, 2u);
}

TEST(RoutedText, SpansCarryTheFirstBytesExpertAndAllChoices) {
  EXPECT_EQ(html_text({"", bytes_of("<ü")}),
            "<p class=\"tokens\"><i class=\"e0\" data-r=\"0:75;9:100\">&lt;</i>"
            "<i class=\"e1\" data-r=\"1:75;9:100/2:75;9:100\">ü</i></p>\n");
}

TEST(RoutedText, DroppedTokensHaveNoColour) {
  EXPECT_EQ(html_text({"", {{"a", {{}, {{3, 0.5}, {4, 0.5}}}}}}),
            "<p class=\"tokens\"><i data-r=\";3:50,4:50\">a</i></p>\n");
}

TEST(RoutedText, AGateThatIsNoNumberIsShownAsNothing) {
  EXPECT_EQ(html_text({"", {{"a", {{{3, std::nan("")}}}}}}),
            "<p class=\"tokens\"><i class=\"e3\" data-r=\"3:0\">a</i></p>\n");
}

TEST(RoutedText, LineEndsAndBadBytesAreVisible) {
  const std::string html = html_text({"", bytes_of("\n\xFF")});
  EXPECT_NE(html.find(">↵\n</i>"), std::string::npos);
  EXPECT_NE(html.find(">\xEF\xBF\xBD</i>"), std::string::npos);
}

TEST(RoutedText, TheTerminalShowsPlainTextWithoutColours) {
  const RoutedText text{"", bytes_of("aü\n")};
  EXPECT_EQ(terminal_text(text, 0, ColourMode::none), "aü\n");
  EXPECT_NE(terminal_text(text, 0, ColourMode::ansi256).find("\033[48;5;"), std::string::npos);
  EXPECT_EQ(terminal_text(text, 5, ColourMode::ansi256), "aü\n");  // no such layer
}

// A coloured line end would colour the rest of the terminal's line.
TEST(RoutedText, NoBackgroundRunsOverALineEnd) {
  for (const std::string piece : {"\n", " \n\n", "\nword", "a\nb\n"}) {
    const std::string shown = terminal_text({"", {{piece, {{{3, 1}}}}}}, 0, ColourMode::ansi256);
    bool coloured = false;
    std::string plain;
    for (std::size_t i = 0; i < shown.size(); ++i) {
      if (shown[i] == '\033') {
        const std::size_t end = shown.find('m', i);
        coloured = shown.substr(i, end - i) != "\033[0";
        i = end;
        continue;
      }
      EXPECT_EQ(coloured, shown[i] != '\n') << i << " of " << shown;
      plain += shown[i];
    }
    EXPECT_EQ(plain, piece);
  }
}

}  // namespace
}  // namespace moe
