#include "common/app/format.hpp"

#include <cmath>
#include <cstdio>

namespace moe {
namespace {

template <class... Values>
std::string print(const char* format, Values... values) {
  char buffer[64];
  const int n = std::snprintf(buffer, sizeof buffer, format, values...);
  return {buffer, static_cast<std::size_t>(n < 63 ? n : 63)};
}

// Three significant digits of a number in [0, 1000).
std::string three_digits(double x) {
  const double size = std::abs(x);
  return format_fixed(x, size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

// Divides by `base` until the number would print with at most three digits before the point.
int scale_down(double& x, double base, int most) {
  int steps = 0;
  while (std::abs(x) >= 999.5 && steps < most) {
    x /= base;
    ++steps;
  }
  return steps;
}

}  // namespace

std::string format_fixed(double x, int decimals) {
  if (std::isnan(x)) return "nan";
  if (std::isinf(x)) return x > 0 ? "inf" : "-inf";
  if (std::abs(x) >= 1e15) return format_scientific(x);
  return print("%.*f", decimals, x);
}

std::string format_percent(double fraction, int decimals) {
  return format_fixed(100 * fraction, decimals) + "%";
}

std::string format_scientific(double x) {
  return print("%.1e", x);
}

std::string format_duration(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  if (seconds < 0.995) return print("%.2fs", seconds);
  if (seconds < 9.95) return print("%.1fs", seconds);
  const auto s = static_cast<long long>(std::llround(seconds));
  if (s < 60) return print("%llds", s);
  if (s < 3600) return print("%lldm%02llds", s / 60, s % 60);
  if (s < 86400) return print("%lldh%02lldm", s / 3600, s % 3600 / 60);
  return print("%lldd%02lldh", s / 86400, s % 86400 / 3600);
}

std::string format_count(double n) {
  if (!std::isfinite(n)) return format_fixed(n, 0);
  static constexpr const char* kPrefix[] = {"", "k", "M", "G", "T", "P"};
  const int steps = scale_down(n, 1000, 5);
  const bool whole = steps == 0 && n == std::floor(n);
  return (whole ? format_fixed(n, 0) : three_digits(n)) + kPrefix[steps];
}

std::string format_bytes(double bytes) {
  if (!std::isfinite(bytes)) return format_fixed(bytes, 0);
  static constexpr const char* kUnit[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB"};
  const int steps = scale_down(bytes, 1024, 5);
  return (steps == 0 ? format_fixed(bytes, 0) : three_digits(bytes)) + kUnit[steps];
}

}  // namespace moe
