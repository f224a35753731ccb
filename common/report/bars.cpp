#include "common/report/bars.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/app/format.hpp"
#include "common/app/utf8.hpp"
#include "common/report/palette.hpp"

namespace moe {
namespace {

constexpr const char* kEighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};

double size_of(const Bar& bar) {
  return bar.value > 0 ? bar.value : 0;
}

// Columns [begin, end) of a bar that is `eighths` long.
std::string stretch(int begin, int end, int eighths) {
  std::string out;
  for (int c = begin; c < end; ++c) {
    const int part = std::clamp(eighths - 8 * c, 0, 8);
    out += part == 8 ? "█" : kEighths[part];
  }
  return out;
}

// `columns` characters; the mark stands in front of the bar, or cuts a line into it.
std::string body(double filled, int columns, int mark, Rgb colour, ColourMode mode) {
  const int eighths = static_cast<int>(std::lround(filled * columns * 8));
  const std::string ink = foreground(colour, mode);
  if (mark < 0) return ink + stretch(0, columns, eighths) + reset(mode);
  const bool covered = eighths >= 8 * (mark + 1);
  const std::string line = covered ? background(colour, mode) + foreground({0, 0, 0}, mode) + "│" : "│";
  return ink + stretch(0, mark, eighths) + reset(mode) + line + reset(mode) + ink +
         stretch(mark + 1, columns, eighths) + reset(mode);
}

struct Layout {
  int blocks, lines, label, note, bar;
};

Layout layout_of(std::span<const Bar> all, const BarStyle& style) {
  constexpr int kLines = 24, kLeastBar = 10, kGap = 3;
  Layout l{};
  for (const Bar& bar : all) {
    l.label = std::max(l.label, display_width(bar.label));
    l.note = std::max(l.note, display_width(bar.note));
  }
  const int n = static_cast<int>(all.size());
  const int most = std::max(1, (style.width + kGap) / (l.label + l.note + 3 + kLeastBar + kGap));
  l.blocks = style.blocks > 0 ? style.blocks : std::clamp((n + kLines - 1) / kLines, 1, most);
  l.lines = (n + l.blocks - 1) / l.blocks;
  l.bar = std::max(kLeastBar, (style.width - kGap * (l.blocks - 1)) / l.blocks - l.label - l.note - 3);
  return l;
}

}  // namespace

std::string bars(std::span<const Bar> all, const BarStyle& style) {
  const Layout l = layout_of(all, style);
  double most = std::isfinite(style.mark) ? style.mark : 0;
  for (const Bar& bar : all) most = std::max(most, size_of(bar));
  const double scale = most > 0 ? 1 / most : 0;
  const int mark =
      std::isfinite(style.mark) ? std::min(l.bar - 1, static_cast<int>(style.mark * scale * l.bar)) : -1;
  std::string out;
  for (int line = 0; line < l.lines; ++line) {
    for (std::size_t i = line; i < all.size(); i += l.lines) {
      const Bar& bar = all[i];
      if (i != static_cast<std::size_t>(line)) out += "   ";
      out += pad_left(bar.label, l.label) + " " +
             body(size_of(bar) * scale, l.bar, mark, bar.colour, style.colour);
      out += "  " + pad_left(bar.note, l.note);
    }
    out += "\n";
  }
  return out;
}

std::string load_bars(std::span<const std::int64_t> counts, BarStyle style) {
  const auto total = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  const double mean = counts.empty() ? 0 : static_cast<double>(total) / static_cast<double>(counts.size());
  style.mark = mean;
  std::vector<Bar> all;
  for (std::size_t e = 0; e < counts.size(); ++e) {
    const auto count = static_cast<double>(counts[e]);
    const std::string ratio = mean > 0 ? format_fixed(count / mean, 2) + "×" : "";
    all.push_back({std::to_string(e), count, pad_left(format_count(count), 6) + "  " + pad_left(ratio, 6),
                   colour_of_expert(static_cast<int>(e))});
  }
  return bars(all, style);
}

}  // namespace moe
