#include "common/report/html.hpp"

#include <algorithm>

#include "common/app/main.hpp"
#include "common/report/escape.hpp"
#include "common/report/gnuplot.hpp"
#include "common/report/html_assets.hpp"
#include "common/report/palette.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

std::string element(const char* tag, const std::string& text) {
  return concat("<", tag, ">", html_escape(text), "</", tag, ">\n");
}

std::string caption_of(const std::string& text, const std::string& csv_link = "") {
  if (text.empty() && csv_link.empty()) return "";
  const std::string link =
      csv_link.empty() ? "" : concat(" <a href=\"", html_escape(csv_link), "\">numbers</a>");
  return concat("<figcaption>", html_escape(text), link, "</figcaption>\n");
}

std::string series_variables(bool dark) {
  std::string out;
  for (int i = 0; i < kSeriesColours; ++i)
    out += concat("--series-", i, ":", hex(series_colour(i, dark)), ";");
  return out;
}

std::string expert_classes(int experts) {
  std::string out;
  for (int e = 0; e < experts; ++e) out += concat(".e", e, "{background:", hex(colour_of_expert(e)), "}\n");
  return out;
}

std::string layer_buttons(std::size_t layers) {
  std::string out = "<div class=\"layers\" role=\"group\" aria-label=\"Layer\">";
  for (std::size_t l = 0; l < layers; ++l)
    out += concat("<button type=\"button\" data-layer=\"", l, "\" aria-pressed=\"", l == 0 ? "true" : "false",
                  "\">Layer ", l + 1, "</button>");
  return out + "</div>\n";
}

std::string expert_legend(int experts) {
  std::string out = "<div class=\"legend\">";
  for (int e = 0; e < experts; ++e)
    out += concat("<span class=\"e", e, "\" data-e=\"", e, "\">", e, "</span>");
  return out + "</div>\n";
}

std::size_t layers_of(const std::vector<RoutedText>& texts) {
  std::size_t layers = 0;
  for (const RoutedText& text : texts)
    for (const RoutedToken& token : text.tokens) layers = std::max(layers, token.layers.size());
  return layers;
}

}  // namespace

HtmlReport::HtmlReport(std::string title, std::string subtitle)
    : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

void HtmlReport::section(const std::string& title) {
  sections_.push_back(title);
  body_ += concat("<h2 id=\"section-", sections_.size(), "\">", html_escape(title), "</h2>\n");
}

void HtmlReport::subsection(const std::string& title) {
  body_ += element("h3", title);
}
void HtmlReport::paragraph(const std::string& text) {
  body_ += element("p", text);
}
void HtmlReport::note(const std::string& text) {
  body_ += concat("<p class=\"note\">", html_escape(text), "</p>\n");
}
void HtmlReport::tiles(const std::vector<Tile>& tiles) {
  body_ += "<div class=\"tiles\">\n";
  for (const Tile& tile : tiles)
    body_ += concat("<div><b>", html_escape(tile.value), "</b><span>", html_escape(tile.label),
                    "</span><small>", html_escape(tile.detail), "</small></div>\n");
  body_ += "</div>\n";
}

void HtmlReport::table(const Table& table, const std::string& caption) {
  body_ += concat("<figure class=\"scroll\">", table.html(), caption_of(caption), "</figure>\n");
}

void HtmlReport::key_values(const KeyValues& pairs) {
  body_ += "<dl>\n";
  for (const auto& [key, value] : pairs)
    body_ += concat("<div><dt>", html_escape(key), "</dt><dd>", html_escape(value), "</dd></div>\n");
  body_ += "</dl>\n";
}

void HtmlReport::figures(const std::vector<Figure>& all) {
  body_ += "<div class=\"figures\">\n";
  for (const Figure& one : all) figure(one);
  body_ += "</div>\n";
}

void HtmlReport::figure(const Figure& one) {
  const auto svg = render_svg(one.plot, concat("figure_", ++figures_));
  const std::string absent =
      "<p class=\"note\">No plot: the program gnuplot was not found. apt-get install gnuplot-nox</p>\n";
  const std::string picture = svg ? *svg : absent;
  body_ += concat("<figure class=\"plot\">", picture, caption_of(one.caption, one.csv_link), "</figure>\n");
}

void HtmlReport::heat_maps(const std::vector<HeatMap>& maps, const std::string& caption) {
  body_ += "<figure class=\"maps\"><div>\n";
  for (const HeatMap& map : maps) body_ += html_heat_map(map);
  body_ += concat("</div>", caption_of(caption), "</figure>\n");
}

void HtmlReport::text(const std::string& bytes, const std::string& caption) {
  body_ += concat("<figure class=\"sample\"><blockquote>", html_escape(bytes), "</blockquote>",
                  caption_of(caption), "</figure>\n");
}

void HtmlReport::code(const std::string& bytes) {
  body_ += concat("<pre><code>", html_escape(bytes), "</code></pre>\n");
}

void HtmlReport::routed_texts(const std::vector<RoutedText>& texts, int experts, const std::string& caption) {
  expert_colours_ = std::max(expert_colours_, experts);
  body_ += concat("<figure class=\"routed\">\n", layer_buttons(layers_of(texts)), expert_legend(experts));
  for (const RoutedText& text : texts) {
    if (!text.title.empty()) body_ += element("h4", text.title);
    body_ += html_text(text);
  }
  body_ += concat(caption_of(caption), "</figure>\n");
}

std::string HtmlReport::str() const {
  std::string contents;
  for (std::size_t i = 0; i < sections_.size(); ++i)
    contents += concat("<a href=\"#section-", i + 1, "\">", html_escape(sections_[i]), "</a>\n");
  const std::string variables =
      concat(":root{", series_variables(false), "}\n@media(prefers-color-scheme:dark){:root{",
             series_variables(true), "}}\n");
  return concat("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
                "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n",
                "<meta name=\"color-scheme\" content=\"light dark\">\n<title>", html_escape(title_),
                "</title>\n<style>\n", variables, kReportStyle, expert_classes(expert_colours_),
                "</style>\n</head>\n<body>\n<header>\n<h1>", html_escape(title_), "</h1>\n<p>",
                html_escape(subtitle_), "</p>\n</header>\n<nav aria-label=\"Contents\">\n", contents,
                "</nav>\n<main>\n", body_, "</main>\n<footer>MoE Odyssey ", version(),
                "</footer>\n<div id=\"tip\" role=\"tooltip\" hidden></div>\n<script>\n", kReportScript,
                "</script>\n</body>\n</html>\n");
}

}  // namespace moe
