#include "common/report/plot.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <regex>
#include <set>

#include "common/report/gnuplot.hpp"
#include "common/report/html.hpp"
#include "common/report/subprocess.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

LinePlot loss_curves() {
  return {
      "Loss", "step", "loss", {{"dense", {1, 2, 3}, {3, 2, 1}}, {"MoE <32>", {1, 2, 3}, {2.5, kNaN, 0.5}}}};
}

// Empties PATH while it lives.
class NoPrograms {
 public:
  NoPrograms() : before_(std::getenv("PATH")) { setenv("PATH", "/nonexistent", 1); }
  ~NoPrograms() { setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_;
};

std::set<std::string> ids_in(const std::string& svg) {
  std::set<std::string> ids;
  const std::regex id("\\bid=[\"']([^\"']*)");
  for (std::sregex_iterator i(svg.begin(), svg.end(), id), end; i != end; ++i)
    EXPECT_TRUE(ids.insert((*i)[1]).second) << (*i)[1];
  return ids;
}

#define NEEDS_GNUPLOT() \
  if (!run_program({"gnuplot", "--version"}, "").found) GTEST_SKIP() << "no gnuplot"

TEST(Gnuplot, TheSvgShowsEverySeriesAndNoNaN) {
  NEEDS_GNUPLOT();
  const std::string svg = *render_svg(loss_curves(), "figure_1");
  EXPECT_EQ(svg.rfind("<svg", 0), 0u);
  for (const char* part : {"dense", "MoE &lt;32", "Loss", "var(--series-0,#0072b2)", "currentColor"})
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  EXPECT_FALSE(std::regex_search(svg, std::regex("\\bnan\\b", std::regex::icase)));
  EXPECT_EQ(svg.find("black"), std::string::npos);  // would be unreadable on a dark page
}

TEST(Gnuplot, FiguresShareNoIds) {
  NEEDS_GNUPLOT();
  const auto one = ids_in(*render_svg(loss_curves(), "figure_1")),
             two = ids_in(*render_svg(loss_curves(), "figure_2"));
  EXPECT_GT(one.size(), 3u);
  for (const std::string& id : one) {
    EXPECT_EQ(id.rfind("figure_1", 0), 0u) << id;
    EXPECT_EQ(two.count(id), 0u) << id;
  }
}

TEST(Gnuplot, TextIsNeverRunOrInterpreted) {
  NEEDS_GNUPLOT();
  LinePlot plot = loss_curves();
  plot.title = "`echo run`_a^{b} it's 100% \\n \"q\"";
  plot.series[0].label = "$(exit 3)\nnext";
  const std::string svg = *render_svg(plot, "x");
  EXPECT_NE(svg.find("`echo run`_a^{b} it's 100% \\n"), std::string::npos) << svg;
  EXPECT_NE(svg.find("$(exit 3) next"), std::string::npos);
}

TEST(Gnuplot, NothingToDrawSaysSo) {
  NEEDS_GNUPLOT();
  for (const Plot& plot :
       {Plot(LinePlot{}), Plot(LinePlot{"", "x", "y", {{"a", {1}, {kNaN}}}}),
        Plot(LinePlot{"", "", "", {{"a", {1}, {-1}}}, false, true}), Plot(BarPlot{}), Plot(HeatMapPlot{})})
    EXPECT_NE(render_svg(plot, "x")->find("no data"), std::string::npos);
}

TEST(Gnuplot, EveryKindOfPlotIsDrawn) {
  NEEDS_GNUPLOT();
  LinePlot scan{"",
                "experts",
                "bits",
                {{"MoE", {1, 2, 4}, {3, 2, 1}, {2.9, 1.9, 0.9}, {3.1, 2.1, 1.1}, 1, true, false, true}}};
  scan.log_x = scan.log_y = true;
  EXPECT_NE(render_svg(scan, "x")->find("<text>4</text>"), std::string::npos);
  const BarPlot bar{"",
                    "bits",
                    {"C++", "Español"},
                    {{"dense", {2, 3}, {1.9, 2.9}, {2.1, 3.1}, 0}, {"MoE", {1, kNaN}, {}, {}, 1}}};
  EXPECT_NE(render_svg(bar, "x")->find("Español"), std::string::npos);
  const HeatMapPlot heat{{.rows = {"0", "1"}, .columns = {"", "", ""}, .values = {0, 1, 0.5, kNaN, 1, 0}},
                         "step",
                         "expert",
                         "load",
                         0,
                         30};
  EXPECT_NE(render_svg(heat, "x")->find("data:image/png;base64,"), std::string::npos);
}

TEST(Gnuplot, LongSeriesStaySmall) {
  NEEDS_GNUPLOT();
  Series s{"loss", {}, {}};
  for (int i = 0; i < 200000; ++i) s.x.push_back(i), s.y.push_back(std::sin(i));
  EXPECT_LT(render_svg(LinePlot{"", "", "", {s}}, "x")->size(), 100000u);
}

TEST(Gnuplot, AFileOfItsOwnStandsOnWhite) {
  NEEDS_GNUPLOT();
  const std::string svg = *render_svg_file(loss_curves());
  EXPECT_EQ(svg.rfind("<?xml", 0), 0u);
  EXPECT_NE(svg.find("fill=\"white\"/>"), std::string::npos);
}

// Three panels in two columns: two rows, each as high as its highest plot, ids that do not clash, numbers of all.
TEST(Gnuplot, SeveralPlotsMakeOneFile) {
  NEEDS_GNUPLOT();
  LinePlot low = loss_curves();
  low.height = 100;
  const std::vector<Plot> panels = {low, loss_curves(), low};
  const std::string svg = *render_svg_file(panels, 2);
  EXPECT_EQ(svg.rfind("<svg width=\"1280\" height=\"460\"", 0), 0u);
  for (const char* at : {"<svg x=\"0\" y=\"0\"", "<svg x=\"640\" y=\"0\"", "<svg x=\"0\" y=\"360\""})
    EXPECT_NE(svg.find(at), std::string::npos) << at;
  for (const char* id : {"p0_gnuplot_canvas", "p1_gnuplot_canvas", "p2_gnuplot_canvas"})
    EXPECT_NE(svg.find(concat("id=\"", id, "\"")), std::string::npos) << id;
  EXPECT_EQ(svg.find("<?xml"), std::string::npos) << "only whole documents begin so";
}

TEST(Gnuplot, WithoutGnuplotTheReportSaysSo) {
  const NoPrograms none;
  EXPECT_FALSE(render_svg(loss_curves(), "x").has_value());
  HtmlReport page("t");
  page.figures({{loss_curves(), "caption"}});
  EXPECT_NE(page.str().find("apt-get install gnuplot-nox"), std::string::npos);
}

TEST(Gnuplot, NamesMustBeWords) {
  EXPECT_THROW(render_svg(loss_curves(), "a b"), Error);
}

TEST(Plot, CsvHasAllNumbers) {
  EXPECT_EQ(csv(loss_curves()),
            "series,step,loss,low,high\r\ndense,1,3,,\r\ndense,2,2,,\r\ndense,3,1,,\r\n"
            "MoE <32>,1,2.5,,\r\nMoE <32>,2,,,\r\nMoE <32>,3,0.5,,\r\n");
}

TEST(Plot, ThinningKeepsPeaksAndEnds) {
  std::vector<double> y(10000, 1.0);
  y[1234] = 9;
  y[4321] = -9;
  y[5000] = kNaN;
  const auto keep = thinned(y, 100);
  EXPECT_LE(keep.size(), 202u);
  EXPECT_TRUE(std::is_sorted(keep.begin(), keep.end()));
  for (const std::size_t i : {0, 1234, 4321, 9999})
    EXPECT_TRUE(std::binary_search(keep.begin(), keep.end(), i)) << i;
}

// A zigzag that falls: in every stretch the largest stands before the least, and neither is the first or the last of all.
TEST(Plot, ThinningKeepsTheOrderAndTheEndsOfAnySeries) {
  std::vector<double> y;
  for (int i = 0; i < 1000; ++i) y.push_back((i % 2 ? 500 : -500) * (1 + 1e-3 * (i % 10)) - i);
  for (const std::size_t gap : {500, 501, 502}) y[gap] = kNaN;
  const auto keep = thinned(y, 50);
  EXPECT_TRUE(std::is_sorted(keep.begin(), keep.end()));
  EXPECT_EQ(keep.front(), 0u);
  EXPECT_EQ(keep.back(), 999u);
  y.assign(1000, 1.0);
  y[0] = kNaN, y[5] = 9, y[6] = -9;  // the first stretch begins with a gap
  const auto peaks = thinned(y, 50);
  for (const std::size_t i : {0, 5, 6, 999})
    EXPECT_TRUE(std::binary_search(peaks.begin(), peaks.end(), i)) << i;
}

TEST(Plot, ShortSeriesAreNotThinned) {
  for (const std::size_t n : {0, 1, 31, 199, 200}) EXPECT_EQ(thinned(std::vector<double>(n), 100).size(), n);
}

TEST(Plot, SmoothingIsCentredAndLooksBackAtTheEnd) {
  const std::vector<double> y{9, 1, 2, 3, 7};
  EXPECT_EQ(smoothed(y, 3), (std::vector<double>{9, 4, 2, 4, 5}));
  EXPECT_EQ(smoothed(y, 1), y);
  EXPECT_EQ(smoothed({}, 5), std::vector<double>{});
}

TEST(Subprocess, MuchInputAndOutputDoNotBlock) {
  const std::string input(1 << 20, 'x');
  const ProgramResult result = run_program({"cat"}, input);
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.output, input);
}

TEST(Subprocess, FailuresAreReported) {
  const ProgramResult result = run_program({"sh", "-c", "echo no >&2; exit 3"}, std::string(1 << 20, 'x'));
  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.errors, "no\n");
  EXPECT_FALSE(run_program({"no-such-program"}, "").found);
  EXPECT_EQ(run_program({"sleep", "30"}, "", 0.05).status, 128 + 9);
}

}  // namespace
}  // namespace moe
