#include "common/report/table.hpp"

#include <gtest/gtest.h>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

Table sample() {
  Table table({{"model", Align::left}, {"bits"}});
  table.row({"dense", "2.168"}).rule().row({"größer", "2"});
  return table;
}

TEST(Table, TheTerminalShowsABox) {
  EXPECT_EQ(sample().terminal(),
            "┌────────┬───────┐\n"
            "│ model  │  bits │\n"
            "├────────┼───────┤\n"
            "│ dense  │ 2.168 │\n"
            "├────────┼───────┤\n"
            "│ größer │     2 │\n"
            "└────────┴───────┘\n");
}

TEST(Table, MarkdownAlignsAndEscapesBars) {
  EXPECT_EQ(sample().markdown(), "| model | bits |\n| --- | ---: |\n| dense | 2.168 |\n| größer | 2 |\n");
  EXPECT_EQ(Table({{"a"}}).row({"x|y"}).markdown(), "| a |\n| ---: |\n| x\\|y |\n");
  EXPECT_EQ(Table({{"a"}}).row({"x\ny"}).markdown(), "| a |\n| ---: |\n| x<br>y |\n");
}

TEST(Table, CsvQuotesWhatNeedsIt) {
  Table table({{"a"}, {"b,c"}});
  table.row({"plain", "with \"quotes\""}).row({"two\nlines", ""}).row({"a,b", " spaces "});
  EXPECT_EQ(table.csv(),
            "a,\"b,c\"\r\nplain,\"with \"\"quotes\"\"\"\r\n\"two\nlines\",\r\n\"a,b\", spaces \r\n");
}

TEST(Table, CsvHasNoLineForARuleAndQuotesCarriageReturns) {
  EXPECT_EQ(sample().csv(), "model,bits\r\ndense,2.168\r\ngrößer,2\r\n");
  EXPECT_EQ(csv_field("a\rb"), "\"a\rb\"");
}

TEST(Table, JsonHasNumbersWhereTheCellsAreNumbers) {
  Table table({{"n"}, {"x"}});
  table.row({"12", "007"}).rule().row({"-1.5e3", "a \"b\""});
  EXPECT_EQ(table.json(),
            "[\n  {\n    \"n\": 12,\n    \"x\": \"007\"\n  },\n  {\n    \"n\": -1500.0,\n    \"x\": \"a "
            "\\\"b\\\"\"\n  }\n]\n");
  EXPECT_EQ(Table({{"n"}}).json(), "[]\n");
}

TEST(Table, HtmlEscapesCells) {
  EXPECT_NE(Table({{"<a>"}}).row({"x & y"}).html().find("<td class=\"num\">x &amp; y</td>"),
            std::string::npos);
}

TEST(Table, RowsMustFit) {
  EXPECT_THROW(Table({{"a"}, {"b"}}).row({"1"}), Error);
}

}  // namespace
}  // namespace moe
