// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace moe {

// Seconds: 0.42s, 8.1s, 42s, 1m12s, 2h03m, 3d04h. Not finite or negative: "?".
std::string format_duration(double seconds);

// Decimal prefixes, three digits: 950, 21.4k, 3.20M, 17.4T.
std::string format_count(double n);

// Binary prefixes: 512 B, 1.50 KiB, 21.4 MiB.
std::string format_bytes(double bytes);

// printf's %.*f: format_fixed(2.4129, 3) == "2.413"; NaN and infinities as nan, inf, -inf.
std::string format_fixed(double x, int decimals);

// 0.142 with one decimal: "14.2%".
std::string format_percent(double fraction, int decimals = 1);

// d.de±dd: 3.0e-04.
std::string format_scientific(double x);

}  // namespace moe
