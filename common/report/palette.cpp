#include "common/report/palette.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>

namespace moe {
namespace {

std::uint8_t to_srgb(double linear) {
  const double x = std::clamp(linear, 0.0, 1.0);
  const double v = x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(255 * v));
}

// Oklch (Ottosson 2020): lightness 0..1, chroma, hue in turns.
Rgb from_oklch(double lightness, double chroma, double hue) {
  const double a = chroma * std::cos(2 * std::numbers::pi * hue),
               b = chroma * std::sin(2 * std::numbers::pi * hue);
  const auto cube = [](double x) { return x * x * x; };
  const double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  const double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  const double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
  return {to_srgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
          to_srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
          to_srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

Rgb mix(Rgb a, Rgb b, double t) {
  const auto channel = [t](std::uint8_t x, std::uint8_t y) {
    return static_cast<std::uint8_t>(std::lround(x + t * (y - x)));
  };
  return {channel(a.r, b.r), channel(a.g, b.g), channel(a.b, b.b)};
}

}  // namespace

Rgb colour_of_expert(int e) {
  constexpr double kGolden = 0.381966011250105;  // of a turn
  constexpr double kLightness[] = {0.83, 0.72, 0.90};
  const double hue = 0.69 + e * kGolden;
  return from_oklch(kLightness[e % 3], e / 21 % 2 == 0 ? 0.115 : 0.06, hue - std::floor(hue));
}

Rgb colour_of_value(double t) {
  if (std::isnan(t)) return {128, 128, 128};
  static constexpr std::array<Rgb, 6> kRamp{
      {{24, 28, 74}, {34, 74, 136}, {28, 122, 146}, {52, 168, 122}, {150, 208, 84}, {253, 231, 76}}};
  const double at = std::clamp(t, 0.0, 1.0) * (kRamp.size() - 1);
  const std::size_t i = std::min(static_cast<std::size_t>(at), kRamp.size() - 2);
  return mix(kRamp[i], kRamp[i + 1], at - static_cast<double>(i));
}

Rgb series_colour(int i, bool dark) {
  static constexpr Rgb kLight[kSeriesColours] = {{0, 114, 178},   {213, 94, 0},  {0, 150, 110},
                                                 {190, 90, 150},  {210, 140, 0}, {70, 160, 220},
                                                 {110, 110, 118}, {70, 50, 150}};
  static constexpr Rgb kDark[kSeriesColours] = {{86, 172, 236},  {255, 142, 70}, {60, 204, 160},
                                                {232, 156, 200}, {250, 192, 80}, {144, 210, 255},
                                                {168, 168, 176}, {164, 148, 255}};
  return (dark ? kDark : kLight)[i % kSeriesColours];
}

std::string hex(Rgb c) {
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, "#%02x%02x%02x", c.r, c.g, c.b);
  return buffer;
}

}  // namespace moe
