#include "common/report/bars.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/app/utf8.hpp"

namespace moe {
namespace {

TEST(Bars, LengthsAreRightToAnEighth) {
  const std::vector<Bar> all{{"a", 8, "8"}, {"bb", 5, "5"}, {"c", 0, "0"}, {"d", -3, "-3"}};
  EXPECT_EQ(bars(all, {.width = 17}),  // 2 for labels, 2 for notes, 3 between: 10 for bars
            " a ██████████   8\n"
            "bb ██████▎      5\n"
            " c              0\n"
            " d             -3\n");
}

TEST(Bars, TheMarkStandsInFrontOfOrCutsTheBar) {
  const std::vector<Bar> all{{"a", 10, ""}, {"b", 2, ""}};
  EXPECT_EQ(bars(all, {.width = 14, .mark = 5}), "a █████│████  \nb ██   │      \n");
}

TEST(Bars, AMarkBeyondAllBarsSetsTheScale) {
  EXPECT_EQ(bars(std::vector<Bar>{{"a", 5, ""}}, {.width = 14, .mark = 10}), "a █████    │  \n");
}

TEST(Bars, NothingOrOnlyZerosIsNoError) {
  EXPECT_EQ(bars({}), "");
  EXPECT_EQ(bars(std::vector<Bar>{{"a", 0, ""}}, {.width = 14}), "a             \n");
}

TEST(LoadBars, ShowCountsAndTheRatioToTheMean) {
  const std::vector<std::int64_t> counts{1500, 500, 0, 2000};
  const std::string text = load_bars(counts, {.width = 40});
  EXPECT_NE(text.find(" 1.50k   1.50×\n"), std::string::npos) << text;
  EXPECT_NE(text.find("      0   0.00×\n"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
  for (std::size_t line = 0, at = 0; line < 4; ++line, at = text.find('\n', at) + 1)
    EXPECT_NE(text.substr(at, text.find('\n', at) - at).find("│"), std::string::npos) << "the mean: " << text;
}

TEST(LoadBars, ManyExpertsStandSideBySideWithinTheWidth) {
  for (const int experts : {1, 31, 32, 33, 64, 127}) {
    const std::vector<std::int64_t> counts(static_cast<std::size_t>(experts), 7);
    const std::string text = load_bars(counts, {.width = 100});
    for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
      EXPECT_LE(display_width(text.substr(begin, end - begin)), 100) << experts;
  }
}

}  // namespace
}  // namespace moe
