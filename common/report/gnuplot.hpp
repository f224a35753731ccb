// Plots drawn by the gnuplot program.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "common/report/plot.hpp"

namespace moe {

// One <svg> element to stand inside a page: transparent, ink in currentColor, series colours as CSS variables
// --series-0... with light-page defaults, no external fonts. All ids in it begin with `name` (letters, digits, _).
// No value when there is no gnuplot on the PATH. Throws Error with gnuplot's words when it fails.
std::optional<std::string> render_svg(const Plot& plot, const std::string& name);

// The same as a file of its own, on white.
std::optional<std::string> render_svg_file(const Plot& plot);

// Several plots as one file: `columns` side by side, row by row; a row is as high as its highest plot.
std::optional<std::string> render_svg_file(std::span<const Plot> panels, std::size_t columns);

// The script that render_svg feeds to gnuplot.
std::string gnuplot_script(const Plot& plot, const std::string& name);

}  // namespace moe
