#include "common/app/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace moe {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

int squared_distance(Rgb a, Rgb b) {
  const int r = a.r - b.r, g = a.g - b.g, blue = a.b - b.b;
  return r * r + g * g + blue * blue;
}

std::uint8_t nearest_cube_step(std::uint8_t x) {  // the cube's levels are 0, 95, 135, 175, 215, 255
  return x < 48 ? 0 : x < 115 ? 1 : static_cast<std::uint8_t>((x - 35) / 40);
}

std::uint8_t cube_level(std::uint8_t step) {
  return static_cast<std::uint8_t>(step == 0 ? 0 : 55 + 40 * step);
}

std::string paint(const char* layer, Rgb c, ColourMode mode) {
  const std::string start = std::string("\033[") + layer;
  switch (mode) {
    case ColourMode::none:
      return "";
    case ColourMode::ansi256:
      return start + ";5;" + std::to_string(nearest_ansi256(c)) + "m";
    case ColourMode::truecolour:
      return start + ";2;" + std::to_string(c.r) + ";" + std::to_string(c.g) + ";" + std::to_string(c.b) +
             "m";
  }
  return "";
}

double luminance(Rgb c) {  // WCAG 2.1 relative luminance
  const auto linear = [](std::uint8_t x) {
    const double v = x / 255.0;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b);
}

}  // namespace

bool is_terminal(int fd) {
  return isatty(fd) == 1;
}

int terminal_width(int fd) {
  constexpr int kLeast = 20;
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return std::max<int>(kLeast, size.ws_col);
  const int columns = std::atoi(std::string(environment("COLUMNS")).c_str());
  return columns > 0 ? std::clamp(columns, kLeast, 1000) : 80;
}

ColourMode colour_mode(int fd) {
  if (!environment("NO_COLOR").empty() || environment("TERM") == "dumb") return ColourMode::none;
  const std::string_view force = environment("CLICOLOR_FORCE");
  if (!is_terminal(fd) && (force.empty() || force == "0")) return ColourMode::none;
  const std::string_view depth = environment("COLORTERM");
  return depth == "truecolor" || depth == "24bit" ? ColourMode::truecolour : ColourMode::ansi256;
}

std::string foreground(Rgb colour, ColourMode mode) {
  return paint("38", colour, mode);
}
std::string background(Rgb colour, ColourMode mode) {
  return paint("48", colour, mode);
}
std::string bold(ColourMode mode) {
  return mode == ColourMode::none ? "" : "\033[1m";
}
std::string reset(ColourMode mode) {
  return mode == ColourMode::none ? "" : "\033[0m";
}

int nearest_ansi256(Rgb c) {
  const std::array<std::uint8_t, 3> step{nearest_cube_step(c.r), nearest_cube_step(c.g),
                                         nearest_cube_step(c.b)};
  const Rgb cube{cube_level(step[0]), cube_level(step[1]), cube_level(step[2])};
  const int grey_index = std::clamp(((c.r + c.g + c.b) / 3 - 3) / 10, 0, 23);  // 8, 18, ..., 238
  const auto level = static_cast<std::uint8_t>(8 + 10 * grey_index);
  if (squared_distance(c, {level, level, level}) < squared_distance(c, cube)) return 232 + grey_index;
  return 16 + 36 * step[0] + 6 * step[1] + step[2];
}

Rgb readable_on(Rgb back) {  // 0.179 is where black and white reach the same contrast
  return luminance(back) > 0.179 ? Rgb{0, 0, 0} : Rgb{255, 255, 255};
}

}  // namespace moe
