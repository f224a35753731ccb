#include "common/app/terminal.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace moe {
namespace {

TEST(Terminal, APipeIsNoneAndHasNoColours) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  unsetenv("CLICOLOR_FORCE");
  EXPECT_FALSE(is_terminal(ends[1]));
  EXPECT_EQ(colour_mode(ends[1]), ColourMode::none);
  setenv("COLUMNS", "132", 1);
  EXPECT_EQ(terminal_width(ends[1]), 132);
  setenv("COLUMNS", "nonsense", 1);
  EXPECT_EQ(terminal_width(ends[1]), 80);
  unsetenv("COLUMNS");
  close(ends[0]), close(ends[1]);
}

TEST(Terminal, ColoursCanBeForcedAndForbidden) {
  setenv("CLICOLOR_FORCE", "1", 1);
  setenv("TERM", "xterm", 1);
  unsetenv("COLORTERM");
  unsetenv("NO_COLOR");
  EXPECT_EQ(colour_mode(-1), ColourMode::ansi256);
  setenv("COLORTERM", "truecolor", 1);
  EXPECT_EQ(colour_mode(-1), ColourMode::truecolour);
  setenv("TERM", "dumb", 1);
  EXPECT_EQ(colour_mode(-1), ColourMode::none);
  setenv("TERM", "xterm", 1);
  setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(colour_mode(-1), ColourMode::none);
  unsetenv("NO_COLOR"), unsetenv("CLICOLOR_FORCE"), unsetenv("COLORTERM");
}

TEST(Terminal, TheNearest256ColourIsItselfOnTheCubeAndTheGreyRamp) {
  EXPECT_EQ(nearest_ansi256({0, 0, 0}), 16);
  EXPECT_EQ(nearest_ansi256({255, 255, 255}), 231);
  EXPECT_EQ(nearest_ansi256({95, 135, 175}), 16 + 36 * 1 + 6 * 2 + 3);
  EXPECT_EQ(nearest_ansi256({118, 118, 118}), 243);
  EXPECT_EQ(nearest_ansi256({255, 0, 0}), 196);
}

TEST(Terminal, SequencesByMode) {
  EXPECT_EQ(foreground({255, 0, 0}, ColourMode::none), "");
  EXPECT_EQ(foreground({255, 0, 0}, ColourMode::ansi256), "\033[38;5;196m");
  EXPECT_EQ(background({1, 2, 3}, ColourMode::truecolour), "\033[48;2;1;2;3m");
}

TEST(Terminal, TextOnAColourIsReadable) {
  EXPECT_EQ(readable_on({255, 230, 0}), (Rgb{0, 0, 0}));
  EXPECT_EQ(readable_on({20, 20, 120}), (Rgb{255, 255, 255}));
}

}  // namespace
}  // namespace moe
