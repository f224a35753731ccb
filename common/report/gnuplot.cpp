#include "common/report/gnuplot.hpp"

#include <algorithm>
#include <cctype>

#include "common/report/escape.hpp"
#include "common/report/palette.hpp"
#include "common/report/subprocess.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

void erase_elements(std::string& svg, std::string_view open, std::string_view close) {
  for (std::size_t at = 0; (at = svg.find(open, at)) != std::string::npos;) {
    const std::size_t end = svg.find(close, at);
    if (end == std::string::npos) return;
    svg.erase(at, end + close.size() - at);
  }
}

// gnuplot punches a white disc behind every point of an errorbar, which shows on a dark page and on bars.
void erase_halos(std::string& svg) {
  constexpr std::string_view kEnd = " color='white'/>";
  for (std::size_t at = 0; (at = svg.find(kEnd, at)) != std::string::npos;) {
    const std::size_t begin = svg.rfind('<', at);
    svg.erase(begin, at + kEnd.size() - begin);
    at = begin;
  }
}

// gnuplot writes a colour as "rgb(  0, 114, 178)" for lines and as "rgb(0,114,178)" for text.
std::string series_as_variables(std::string svg) {
  for (int i = 0; i < kSeriesColours; ++i) {
    const Rgb c = series_colour(i);
    const auto pad = [](int x) { return std::string(3 - std::to_string(x).size(), ' ') + std::to_string(x); };
    const std::string variable = concat("var(--series-", i, ",", hex(c), ")");
    svg = replaced(svg, concat("rgb(", pad(c.r), ", ", pad(c.g), ", ", pad(c.b), ")"), variable);
    svg = replaced(svg, concat("rgb(", int{c.r}, ",", int{c.g}, ",", int{c.b}, ")"), variable);
  }
  return svg;
}

// So that several figures in one document do not share ids.
std::string with_own_ids(std::string svg, const std::string& name) {
  for (const char* id : {"gnuplot_canvas", "gpDot", "gpPt", "textbox", "greybox"}) {
    for (const char* before : {"id='", "id=\"", "href='#", "href=\"#"})
      svg = replaced(svg, concat(before, id), concat(before, name, "_", id));
  }
  return svg;
}

// gnuplot's file as an element that follows the page's colours and whose ids clash with no other figure's.
std::string as_element(std::string svg, const std::string& name) {
  svg.erase(0, svg.find("<svg"));
  erase_elements(svg, "<title>", "</title>");
  erase_elements(svg, "<desc>", "</desc>");
  erase_halos(svg);
  for (const char* quote : {"\"", "'"}) svg = replaced(svg, concat(" color=", quote, "black", quote), "");
  for (const char* attribute : {"fill", "stroke"})
    for (const char* quote : {"\"", "'"})
      svg = replaced(svg, concat(attribute, "=", quote, "black", quote),
                     concat(attribute, "=\"currentColor\""));
  return series_as_variables(with_own_ids(std::move(svg), name));
}

std::optional<std::string> run_gnuplot(const Plot& plot, const std::string& name) {
  const ProgramResult result = run_program({"gnuplot"}, gnuplot_script(plot, name));
  if (!result.found) return std::nullopt;
  MOE_CHECK(result.status == 0 && result.output.find("</svg>") != std::string::npos,
            "gnuplot said: ", result.errors);
  return replaced(result.output, "<image ",
                  "<image style=\"image-rendering:pixelated\" ");  // cells, not a blur
}

}  // namespace

std::optional<std::string> render_svg(const Plot& plot, const std::string& name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  MOE_CHECK(!name.empty() && std::all_of(name.begin(), name.end(), fits), "no name for a figure: ", name);
  auto svg = run_gnuplot(plot, name);
  if (svg) svg = as_element(*svg, name);
  return svg;
}

std::optional<std::string> render_svg_file(const Plot& plot) {
  auto svg = run_gnuplot(plot, "plot");
  if (!svg) return svg;
  erase_halos(*svg);
  constexpr std::string_view kCanvas = "<g id=\"gnuplot_canvas\">";
  return replaced(*svg, kCanvas, concat("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n", kCanvas));
}

std::optional<std::string> render_svg_file(std::span<const Plot> panels, std::size_t columns) {
  MOE_CHECK(columns > 0, "columns");
  std::string body;
  int width = 0, y = 0;
  for (std::size_t first = 0; first < panels.size(); first += columns) {
    int x = 0, height = 0;
    for (std::size_t i = first; i < std::min(first + columns, panels.size()); ++i) {
      auto svg = run_gnuplot(panels[i], concat("plot", i));
      if (!svg) return svg;
      erase_halos(*svg);
      svg->erase(0, svg->find("<svg") + 4);
      body += concat("<svg x=\"", x, "\" y=\"", y, "\"", with_own_ids(std::move(*svg), concat("p", i)));
      const auto [w, h] = std::visit([](const auto& p) { return std::pair{p.width, p.height}; }, panels[i]);
      x += w;
      height = std::max(height, h);
    }
    width = std::max(width, x);
    y += height;
  }
  return concat("<svg width=\"", width, "\" height=\"", y, "\" viewBox=\"0 0 ", width, " ", y,
                "\" xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\">\n"
                "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
                body, "</svg>\n");
}

}  // namespace moe
