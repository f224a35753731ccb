#include "common/report/heat_map.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/app/utf8.hpp"

namespace moe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

HeatMap sample() {
  return {.title = "",
          .rows = {"Spanish", "C++"},
          .columns = {"0", "1", "2"},
          .values = {0, 0.5, 1, 0.26, kNaN, 2},
          .row_name = "domain",
          .column_name = "expert"};
}

TEST(HeatMap, ShadesWithoutColour) {
  EXPECT_EQ(terminal_heat_map(sample()),
            " domain  0  1  2 \n"
            "Spanish    ▒▒ ██ \n"
            "    C++ ░░  · ██ \n"
            "   0.00    ░░ ▒▒ ▓▓ ██  1.00\n");
}

TEST(HeatMap, NumbersInPercent) {
  EXPECT_EQ(terminal_heat_map(sample(), {.numbers = true}),
            " domain  0   1   2  \n"
            "Spanish   0  50 100 \n"
            "    C++  26  ·  200 \n"
            "percent\n");
}

TEST(HeatMap, ColoursComeAsBackgrounds) {
  const std::string text = terminal_heat_map(sample(), {.colour = ColourMode::truecolour});
  EXPECT_NE(text.find("\033[48;2;253;231;76m"), std::string::npos);  // 1 is yellow
  EXPECT_NE(text.find("\033[48;2;24;28;74m"), std::string::npos);    // 0 is dark blue
}

TEST(HeatMap, WideMapsAreCutIntoBlocksThatFit) {
  HeatMap map{.rows = {"a"}};
  for (int e = 0; e < 64; ++e) map.columns.push_back(std::to_string(e)), map.values.push_back(0.5);
  const std::string text = terminal_heat_map(map, {.width = 80});
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    EXPECT_LE(display_width(text.substr(begin, end - begin)), 80);
  EXPECT_NE(text.find("63"), std::string::npos);
}

TEST(HeatMap, LevelsAreClampedAndAFlatScaleIsZero) {
  HeatMap map = sample();
  EXPECT_EQ(map.level(1, 2), 1);
  EXPECT_TRUE(std::isnan(map.level(1, 1)));
  map.high = map.low;
  EXPECT_EQ(map.level(0, 1), 0);
}

TEST(HeatMap, TransposedTwiceIsTheSame) {
  HeatMap map = sample();
  map.values[4] = 7;
  const HeatMap once = transposed(map);
  EXPECT_EQ(once.at(2, 1), map.at(1, 2));
  EXPECT_EQ(once.rows, map.columns);
  EXPECT_EQ(once.row_name, "expert");
  EXPECT_EQ(once.column_name, "domain");
  EXPECT_EQ(transposed(once).values, map.values);
  EXPECT_EQ(transposed(once).rows, map.rows);
}

TEST(HeatMap, TheScaleEndsAtTheLargestValue) {
  HeatMap map = sample();
  scale_to_largest(map);
  EXPECT_EQ(map.high, 2);
  map.values.assign(6, 0);
  scale_to_largest(map);
  EXPECT_EQ(map.high, 1);
}

TEST(Specialisation, ExpertsStandByTheirFirstDomainStrongestFirst) {
  // experts:       0  1  2  3  4
  HeatMap counts{.rows = {"a", "b"},
                 .columns = {"0", "1", "2", "3", "4"},
                 .values = {1, 3, 0, 1, 9,  //
                            3, 1, 0, 0, 1}};
  const HeatMap share = specialisation(counts);
  EXPECT_EQ(share.columns, (std::vector<std::string>{"3", "4", "1", "0", "2"}));  // 2 got no token
  EXPECT_EQ(share.at(0, 0), 1);
  EXPECT_EQ(share.at(0, 1), 0.9);
  EXPECT_EQ(share.at(1, 3), 0.75);
  EXPECT_TRUE(std::isnan(share.at(0, 4)));
}

TEST(HeatMap, HtmlHasOneCellAValueAndTheTextOnHover) {
  const std::string html = html_heat_map(sample());
  EXPECT_NE(html.find("title=\"domain Spanish, expert 1: 0.50\">0.50</td>"), std::string::npos) << html;
  EXPECT_NE(html.find("title=\"domain C++, expert 1: no data\"></td>"), std::string::npos) << html;
  EXPECT_EQ(html.find("nan"), std::string::npos);
}

TEST(HeatMap, CsvHasTheLabels) {
  HeatMap map = sample();
  map.values[4] = 0;
  EXPECT_EQ(csv(map).substr(0, 22), "domain,0,1,2\r\nSpanish,");
}

}  // namespace
}  // namespace moe
