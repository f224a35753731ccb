// Plots as gnuplot scripts with the data inside. Text stands in single quotes: in double quotes gnuplot would run
// what is between backticks.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <sstream>

#include "common/app/utf8.hpp"
#include "common/report/escape.hpp"
#include "common/report/gnuplot.hpp"
#include "common/report/palette.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

std::string quoted(const std::string& text) {
  std::string line = printable_utf8(text);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return concat("'", replaced(line, "'", "''"), "'");
}

std::string colour(int series) {
  return concat("lc rgb '", hex(series_colour(series)), "'");
}

void frame(std::ostream& out, const std::string& name, int width, int height) {
  out << "set terminal svg size " << width << "," << height << " noenhanced name '" << name
      << "' font 'sans-serif,15'\n"
      << "set encoding utf8\n"
      << "set border 3 lw 0.8\nset tics nomirror scale 0.5\n"
      << "set grid lw 0.6 lc rgb '#a0808080' dt 1\n"
      << "set key above left horizontal Left reverse width 2\n";
}

void labels(std::ostream& out, const std::string& title, const std::string& x, const std::string& y) {
  if (!title.empty()) out << "set title offset 0,-0.5 " << quoted(title) << "\n";
  if (!x.empty()) out << "set xlabel " << quoted(x) << "\n";
  if (!y.empty()) out << "set ylabel " << quoted(y) << "\n";
}

bool has_band(const Series& s) {
  return !s.y.empty() && s.low.size() == s.y.size() && s.high.size() == s.y.size();
}

bool drawable(const LinePlot& plot, const Series& s, std::size_t i) {
  if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) return false;
  if (has_band(s) && !(std::isfinite(s.low[i]) && std::isfinite(s.high[i]))) return false;
  return (!plot.log_x || s.x[i] > 0) && (!plot.log_y || (s.y[i] > 0 && (!has_band(s) || s.low[i] > 0)));
}

// A datablock "x y [low high]"; an empty line, which breaks the curve, where a point cannot be drawn. Returns points.
int data(std::ostream& out, const LinePlot& plot, const Series& s, const std::string& block) {
  MOE_CHECK(s.x.size() == s.y.size(), s.label, ": ", s.x.size(), " x, ", s.y.size(), " y");
  int points = 0;
  out << block << " << EOD\n";
  for (const std::size_t i : thinned(s.y, static_cast<std::size_t>(plot.width))) {
    if (drawable(plot, s, i)) {
      ++points;
      out << s.x[i] << " " << s.y[i];
      if (has_band(s)) out << " " << s.low[i] << " " << s.high[i];
    }
    out << "\n";
  }
  out << "EOD\n";
  return points;
}

std::string curve(const Series& s, const std::string& block) {
  const std::string title = s.faint ? "notitle" : "title " + quoted(s.label);
  const std::string dash = s.dashed ? " dt (8,5)" : "";
  const std::string ink = s.faint ? concat("lc rgb '#b8", hex(series_colour(s.colour)).substr(1), "' lw 1")
                                  : colour(s.colour) + " lw 2";
  std::string out;
  if (has_band(s) && s.points)
    out = concat(block, " using 1:2:3:4 with yerrorbars ", colour(s.colour), " lw 1.2 ps 0 notitle, ");
  else if (has_band(s))
    out = concat(block, " using 1:3:4 with filledcurves ", colour(s.colour),
                 " fs transparent solid 0.18 noborder notitle, ");
  return out + concat(block, " using 1:2 with ", s.points ? "linespoints pt 7 ps 0.6 " : "lines ", ink, dash,
                      " ", title);
}

// An empty frame that says so: gnuplot refuses to plot nothing.
const char* kNoData =
    "unset key\nset xrange [0:1]\nset yrange [0:1]\nset label 'no data' at 0.5,0.5 center\nplot NaN\n";

struct Span {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void include(double x) { low = std::min(low, x), high = std::max(high, x); }
};

// Logarithmic axes end at the data (gnuplot would go on to the next power of ten) and count 1, 2, 5 where they are
// short. `few`: values that deserve ticks of their own, such as numbers of experts.
void log_axis(std::ostream& out, char axis, Span span, const std::set<double>& few) {
  out << "set logscale " << axis << "\nset " << axis << "range [" << span.low / 1.03 << ":"
      << span.high * 1.03 << "]\n";
  if (span.high > 30 * span.low && few.size() > 12) return;
  std::set<double> ticks = few;
  if (few.empty() || few.size() > 12) {
    ticks.clear();
    for (double decade = std::pow(10, std::floor(std::log10(span.low))); decade < span.high; decade *= 10)
      for (const double step : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0}) ticks.insert(decade * step);
  }
  out << "set " << axis << "tics (";
  for (const double tick : ticks) out << (tick == *ticks.begin() ? "" : ", ") << "'" << tick << "' " << tick;
  out << ")\n";
}

void axes(std::ostream& out, const LinePlot& plot) {
  Span x, y;
  std::set<double> marked;
  for (const Series& s : plot.series)
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (!drawable(plot, s, i)) continue;
      x.include(s.x[i]);
      y.include(has_band(s) ? s.low[i] : s.y[i]);
      y.include(has_band(s) ? s.high[i] : s.y[i]);
      if (s.points) marked.insert(s.x[i]);
    }
  if (plot.log_x) log_axis(out, 'x', x, marked);
  if (plot.log_y)
    log_axis(out, 'y', {plot.y_low.value_or(y.low), plot.y_high.value_or(y.high)}, {});
  else if (plot.y_low || plot.y_high)
    out << "set yrange [" << (plot.y_low ? concat(*plot.y_low) : "*") << ":"
        << (plot.y_high ? concat(*plot.y_high) : "*") << "]\n";
  else
    out << "set offsets 0,0,graph 0.03,graph 0.03\n";
}

void body(std::ostream& out, const LinePlot& plot) {
  labels(out, plot.title, plot.x_label, plot.y_label);
  std::string curves;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const std::string block = concat("$series", i);
    if (data(out, plot, plot.series[i], block) == 0) continue;
    curves += (curves.empty() ? "" : ", ") + curve(plot.series[i], block);
  }
  if (curves.empty()) {
    out << kNoData;
  } else {
    axes(out, plot);
    out << "plot " << curves << "\n";
  }
}

constexpr double kBarWidth = 0.8;  // of a category, shared by its groups

// "x value low high" a line; no line where there is no number.
void data(std::ostream& out, const BarGroup& group, double shift, const std::string& block) {
  out << block << " << EOD\n";
  const bool error = group.low.size() == group.values.size() && group.high.size() == group.values.size();
  for (std::size_t i = 0; i < group.values.size(); ++i) {
    const double value = group.values[i], low = error ? group.low[i] : value,
                 high = error ? group.high[i] : value;
    if (std::isfinite(value) && std::isfinite(low) && std::isfinite(high))
      out << static_cast<double>(i) + shift << " " << value << " " << low << " " << high << "\n";
  }
  out << "EOD\n";
}

void body(std::ostream& out, const BarPlot& plot) {
  labels(out, plot.title, "", plot.y_label);
  const auto groups = static_cast<double>(plot.groups.size());
  std::string columns, errors;
  for (std::size_t g = 0; g < plot.groups.size(); ++g) {
    const BarGroup& group = plot.groups[g];
    MOE_CHECK(group.values.size() == plot.categories.size(), group.label, ": ", group.values.size(), " bars");
    const auto finite = [](double x) { return std::isfinite(x); };
    if (std::none_of(group.values.begin(), group.values.end(), finite)) continue;
    const std::string block = concat("$group", g);
    data(out, group, (static_cast<double>(g) - (groups - 1) / 2) * kBarWidth / groups, block);
    columns += concat(columns.empty() ? "" : ", ", block, " using 1:2 with boxes ", colour(group.colour),
                      " title ", quoted(group.label));
    if (!group.low.empty())
      errors += concat(", ", block, " using 1:2:3:4 with yerrorbars lc black ps 0 notitle");
  }
  if (columns.empty()) {
    out << kNoData;
    return;
  }
  out << "set style fill solid 0.85 noborder\nset boxwidth " << 0.92 * kBarWidth / groups
      << "\nset yrange [0:*]\n"
      << "set xrange [-0.6:" << static_cast<double>(plot.categories.size()) - 0.4 << "]\nunset grid\n"
      << "set grid y lw 0.6 lc rgb '#a0808080' dt 1\nset xtics scale 0 (";
  for (std::size_t i = 0; i < plot.categories.size(); ++i)
    out << (i ? ", " : "") << quoted(plot.categories[i]) << " " << i;
  out << ")\nplot " << columns << errors << "\n";
}

// At most `most` columns: the mean over neighbours.
HeatMap narrowed(const HeatMap& map, std::size_t most) {
  if (map.columns.size() <= most) return map;
  HeatMap out = map;
  out.columns.resize(most);
  out.values.clear();
  for (std::size_t r = 0; r < map.rows.size(); ++r)
    for (std::size_t c = 0; c < most; ++c) {
      const std::size_t begin = c * map.columns.size() / most, end = (c + 1) * map.columns.size() / most;
      double sum = 0;
      for (std::size_t i = begin; i < end; ++i) sum += map.at(r, i);
      out.values.push_back(sum / static_cast<double>(end - begin));
    }
  return out;
}

void palette(std::ostream& out) {
  out << "set palette maxcolors 48 defined (";
  for (int i = 0; i <= 10; ++i)
    out << (i ? ", " : "") << i / 10.0 << " '" << hex(colour_of_value(i / 10.0)) << "'";
  out << ")\n";
}

// As many labels as there is room for, at least eight.
void row_labels(std::ostream& out, const HeatMap& map, int height) {
  const auto room = static_cast<std::size_t>(std::max(8, (height - 100) / 20));
  const std::size_t every = (map.rows.size() + room - 1) / room;
  out << "set ytics (";
  for (std::size_t r = 0; r < map.rows.size(); r += every)
    out << (r ? ", " : "") << quoted(map.rows[r]) << " " << r;
  out << ")\n";
}

void body(std::ostream& out, const HeatMapPlot& plot) {
  const HeatMap map = narrowed(plot.map, static_cast<std::size_t>(plot.width) / 2);
  labels(out, plot.map.title, plot.x_label, plot.y_label);
  if (map.values.empty()) {
    out << kNoData;
    return;
  }
  out << "unset key\nunset grid\nset tics scale 0\nset border 0\nset colorbox noborder\nset cblabel "
      << quoted(plot.value_label) << "\n";
  palette(out);
  row_labels(out, map, plot.height);
  const double step = (plot.x_high - plot.x_low) / static_cast<double>(map.columns.size());
  out << "set cbrange [" << map.low << ":" << (map.high > map.low ? map.high : map.low + 1) << "]\n"
      << "set xrange [" << plot.x_low << ":" << (step > 0 ? plot.x_high : plot.x_low + 1)
      << "]\nset yrange [-0.5:" << static_cast<double>(map.rows.size()) - 0.5 << "]\n$cells << EOD\n";
  for (std::size_t r = 0; r < map.rows.size(); ++r)
    for (std::size_t c = 0; c < map.columns.size(); ++c) {
      const double value = map.at(r, c);
      out << plot.x_low + (static_cast<double>(c) + 0.5) * step << " " << r << " ";
      if (std::isfinite(value))
        out << value << "\n";
      else
        out << map.low << "\n";
    }
  out << "EOD\nplot $cells using 1:2:3 with image\n";
}

}  // namespace

std::string gnuplot_script(const Plot& plot, const std::string& name) {
  std::ostringstream out;
  out.precision(7);
  std::visit(
      [&](const auto& p) {
        frame(out, name, p.width, p.height);
        body(out, p);
      },
      plot);
  return out.str();
}

}  // namespace moe
