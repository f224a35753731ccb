// What every stage leaves behind, for tests that start one.
#pragma once

#include <sstream>

#include "tests/sessions/support.hpp"

namespace moe::testing {

// What is printed is recorded, and the picture is one SVG of `panels` plots, each with its numbers.
inline void expect_stage_files(const fs::path& out, const std::string& name, std::size_t panels,
                               const Ended& ended) {
  const std::string stem = (out / name).string();
  EXPECT_NE(ended.out.find(contents(stem + ".txt")), std::string::npos) << "what is printed is recorded";
  for (std::size_t i = 1; i <= panels; ++i)
    EXPECT_GT(contents(concat(stem, "_", i, ".csv")).size(), 10u) << i;
  if (ended.out.find(concat("picture: ", stem, ".svg\n")) == std::string::npos) GTEST_SKIP() << "no gnuplot";
  const std::string svg = contents(stem + ".svg");
  EXPECT_EQ(svg.rfind("<svg ", 0), 0u);
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_EQ(svg.find("no data"), std::string::npos);
}

// Cells of a CSV without quoted commas, as these stages write it.
inline std::vector<std::vector<std::string>> csv_rows(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    std::vector<std::string> cells(1);
    for (const char c : line) {
      if (c == ',')
        cells.emplace_back();
      else
        cells.back() += c;
    }
    rows.push_back(std::move(cells));
  }
  return rows;
}

}  // namespace moe::testing
