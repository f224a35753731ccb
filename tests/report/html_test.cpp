#include "common/report/html.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/report/palette.hpp"
#include "common/report/write_file.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

TEST(HtmlReport, SectionsStandInTheContents) {
  HtmlReport page("Title", "and more");
  page.section("Loss & load");
  page.section("Text");
  const std::string html = page.str();
  EXPECT_NE(html.find("<a href=\"#section-1\">Loss &amp; load</a>"), std::string::npos);
  EXPECT_NE(html.find("<h2 id=\"section-2\">Text</h2>"), std::string::npos);
  EXPECT_NE(html.find("<title>Title</title>"), std::string::npos);
}

TEST(HtmlReport, NothingComesFromOutside) {
  HtmlReport page("t");
  page.routed_texts({{"a", {{"x", {{{0, 1.0}}}}}}}, 4, "c");
  const std::string html = page.str();
  for (const char* outside : {"http://", "https://", "<link", "src=", "@import", "url("})
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
}

TEST(HtmlReport, EveryTextIsEscaped) {
  const std::string evil = "<script>alert(1)</script>\xFF";
  HtmlReport page(evil, evil);
  page.section(evil);
  page.subsection(evil);
  page.paragraph(evil);
  page.note(evil);
  page.tiles({{evil, evil, evil}});
  page.table(Table({{evil}}).row({evil}), evil);
  page.key_values({{evil, evil}});
  page.heat_maps({{.title = evil,
                   .rows = {evil},
                   .columns = {evil},
                   .values = {0.5},
                   .row_name = evil,
                   .column_name = evil}},
                 evil);
  page.text(evil, evil);
  page.code(evil);
  page.routed_texts({{evil, {{evil, {{{0, 1.0}}}}}}}, 1, evil);
  const std::string html = page.str();
  EXPECT_EQ(html.find("<script>alert"), std::string::npos);
  EXPECT_EQ(html.find('\xFF'), std::string::npos);
  EXPECT_EQ(count(html, "<script>"), 1);  // ours
}

TEST(HtmlReport, RoutedTextsHaveAButtonALayerAndAColourAnExpert) {
  HtmlReport page("t");
  page.routed_texts({{"a", {{"x", {{{0, 1.0}}, {{2, 0.6}, {1, 0.4}}}}}}}, 3, "");
  const std::string html = page.str();
  EXPECT_EQ(count(html, "<button"), 2);
  for (int e = 0; e < 3; ++e)
    EXPECT_NE(html.find(concat(".e", e, "{background:", hex(colour_of_expert(e)), "}")), std::string::npos);
}

TEST(Palette, NeighboursAndTheFirstExpertsDiffer) {
  for (int a = 0; a < 16; ++a)
    for (int b = 0; b < a; ++b) EXPECT_NE(colour_of_expert(a), colour_of_expert(b)) << a << " " << b;
  for (int e = 0; e < 127; ++e) {
    const Rgb a = colour_of_expert(e), b = colour_of_expert(e + 1);
    EXPECT_GT(std::abs(a.r - b.r) + std::abs(a.g - b.g) + std::abs(a.b - b.b), 60) << e;
    EXPECT_EQ(readable_on(a), Rgb{}) << e;  // dark text fits on all
  }
}

TEST(Palette, TheValueRampIsClamped) {
  EXPECT_EQ(colour_of_value(-1), colour_of_value(0));
  EXPECT_EQ(colour_of_value(2), colour_of_value(1));
  EXPECT_EQ(hex({0, 171, 5}), "#00ab05");
}

TEST(WriteFile, ReplacesInOnePieceAndNamesWhatFails) {
  const std::string path = ::testing::TempDir() + "written." + std::to_string(getpid());
  write_file(path, "old");
  write_file(path, "new");
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "new");
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  std::filesystem::remove(path);
  EXPECT_THROW(write_file("/no/such/folder/x", ""), UserError);
  std::filesystem::create_directory(path);  // cannot be replaced by a file
  EXPECT_THROW(write_file(path, "new"), UserError);
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace moe
