// How a heat map looks in the terminal and in the report.
#include <algorithm>
#include <cmath>

#include "common/app/format.hpp"
#include "common/app/utf8.hpp"
#include "common/report/escape.hpp"
#include "common/report/heat_map.hpp"
#include "common/report/palette.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

constexpr int kMostRowLabel = 14, kMostColumnLabel = 9;  // longer labels are cut

constexpr std::size_t kWide = 13;  // columns: from here on cells in the report are too narrow for numbers

// The corner names the labels that are read along it: those of columns in a wide map, else those of rows.
const std::string& corner_of(const HeatMap& map) {
  return map.columns.size() >= kWide ? map.column_name : map.row_name;
}

int widest(const std::vector<std::string>& labels, int least, int most) {
  int width = least;
  for (const std::string& label : labels) width = std::max(width, display_width(label));
  return std::min(width, most);
}

std::string centred(const std::string& text, int width) {
  const int left = std::max(0, width - display_width(text)) / 2;
  return pad_right(std::string(left, ' ') + text, width);
}

std::string cell(const HeatMap& map, std::size_t r, std::size_t c, int width, const HeatMapStyle& style) {
  static constexpr const char* kShades[] = {" ", "░", "▒", "▓", "█"};
  const double level = map.level(r, c);
  if (std::isnan(level)) return centred("·", width);
  const std::string number = style.numbers ? format_fixed(100 * map.at(r, c), 0) : "";
  if (style.colour != ColourMode::none) {
    const Rgb back = colour_of_value(level);
    return background(back, style.colour) + foreground(readable_on(back), style.colour) +
           centred(number, width) + reset(style.colour);
  }
  if (style.numbers) return pad_left(number, width - 1) + " ";
  std::string out;
  for (int i = 0; i < width - 1; ++i) out += kShades[static_cast<int>(std::lround(level * 4))];
  return out + " ";
}

// Columns [begin, end) of the map.
std::string block(const HeatMap& map, std::size_t begin, std::size_t end, int label, int width,
                  const HeatMapStyle& style) {
  std::string out = pad_left(corner_of(map), label) + " ";
  for (std::size_t c = begin; c < end; ++c)
    out += centred(truncate_to_width(map.columns[c], width - 1), width);
  out += "\n";
  for (std::size_t r = 0; r < map.rows.size(); ++r) {
    out += pad_left(truncate_to_width(map.rows[r], label), label) + " ";
    for (std::size_t c = begin; c < end; ++c) out += cell(map, r, c, width, style);
    out += "\n";
  }
  return out;
}

std::string legend(const HeatMap& map, int label, const HeatMapStyle& style) {
  if (style.numbers && style.colour == ColourMode::none) return pad_left("percent", label) + "\n";
  HeatMap scale{"", {""}, {}, {}, 0, 1};
  for (int i = 0; i < 5; ++i) scale.columns.push_back(""), scale.values.push_back(i / 4.0);
  std::string out = pad_left(format_fixed(map.low, 2), label) + " ";
  for (std::size_t c = 0; c < 5; ++c) out += cell(scale, 0, c, 3, {style.width, false, style.colour});
  return out + " " + format_fixed(map.high, 2) + "\n";
}

}  // namespace

std::string terminal_heat_map(const HeatMap& map, const HeatMapStyle& style) {
  MOE_CHECK(map.values.size() == map.rows.size() * map.columns.size(), map.values.size(), " values");
  const int label = std::max(widest(map.rows, 4, kMostRowLabel), display_width(corner_of(map)));
  const int width = widest(map.columns, style.numbers ? 3 : 2, kMostColumnLabel) + 1;
  const auto most = static_cast<std::size_t>(std::max(1, (style.width - label - 1) / width));
  std::string out = map.title.empty() ? "" : bold(style.colour) + map.title + reset(style.colour) + "\n";
  for (std::size_t begin = 0; begin < map.columns.size(); begin += most)
    out += block(map, begin, std::min(begin + most, map.columns.size()), label, width, style);
  return out + legend(map, label, style);
}

std::string html_heat_map(const HeatMap& map) {
  MOE_CHECK(map.values.size() == map.rows.size() * map.columns.size(), map.values.size(), " values");
  const bool wide = map.columns.size() >= kWide;  // no room for numbers in the cells
  std::string out = concat("<table class=\"heat", wide ? " wide" : "", "\">");
  if (!map.title.empty()) out += "<caption>" + html_escape(map.title) + "</caption>";
  out += "<thead><tr><th>" + html_escape(corner_of(map)) + "</th>";
  for (const std::string& name : map.columns) out += "<th><span>" + html_escape(name) + "</span></th>";
  out += "</tr></thead><tbody>\n";
  for (std::size_t r = 0; r < map.rows.size(); ++r) {
    out += "<tr><th>" + html_escape(map.rows[r]) + "</th>";
    for (std::size_t c = 0; c < map.columns.size(); ++c) {
      const double level = map.level(r, c);
      const bool known = !std::isnan(level);
      const std::string text = known ? format_fixed(map.at(r, c), 2) : "no data";
      const std::string where =
          concat(map.row_name, " ", map.rows[r], ", ", map.column_name, " ", map.columns[c], ": ", text);
      out += concat("<td", level > 0.55 ? " class=\"hi\"" : "",
                    " style=\"--v:", known ? format_fixed(level, 2) : "0", "\" title=\"", html_escape(where),
                    "\">",
                    wide    ? ""
                    : known ? text
                            : "",
                    "</td>");
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

}  // namespace moe
