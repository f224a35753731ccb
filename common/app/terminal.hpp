// What the terminal can show.
#pragma once

#include <cstdint>
#include <string>

namespace moe {

bool is_terminal(int fd);

// Columns: of the terminal behind fd, else $COLUMNS, else 80. At least 20.
int terminal_width(int fd = 1);

enum class ColourMode : std::uint8_t { none, ansi256, truecolour };

// none when fd is no terminal, NO_COLOR is set (no-color.org) or TERM is dumb; CLICOLOR_FORCE overrules the
// first.
ColourMode colour_mode(int fd = 1);

struct Rgb {
  std::uint8_t r = 0, g = 0, b = 0;
  bool operator==(const Rgb&) const = default;
};

// Escape sequences; empty in mode none.
std::string foreground(Rgb colour, ColourMode mode);
std::string background(Rgb colour, ColourMode mode);
std::string bold(ColourMode mode);
std::string reset(ColourMode mode);

// Index of the nearest colour in the 256-colour table's cube and grey ramp (16 to 255).
int nearest_ansi256(Rgb colour);

// Black or white, whichever is read better on `back`.
Rgb readable_on(Rgb back);

}  // namespace moe
