// Colours with a meaning, the same in the terminal, in plots and in the report.
#pragma once

#include <string>

#include "common/app/terminal.hpp"

namespace moe {

// A light colour for expert e, to stand behind dark text. Neighbours differ in hue by the golden angle and in
// lightness; experts far apart may look alike.
Rgb colour_of_expert(int e);

// Dark blue (0) over green to yellow (1), evenly perceived, safe for colour-blind readers; clamped, NaN grey.
Rgb colour_of_value(double t);

// Line colours of plots (after Okabe and Ito), for a light and for a dark page.
inline constexpr int kSeriesColours = 8;
Rgb series_colour(int i, bool dark = false);

std::string hex(Rgb colour);  // "#0072b2"

}  // namespace moe
