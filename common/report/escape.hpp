// Text on its way into HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace moe {

// For element content and quoted attributes; any bytes, what is no UTF-8 becomes U+FFFD.
std::string html_escape(std::string_view bytes);

// Replaces every occurrence of `from` (not empty).
std::string replaced(std::string text, std::string_view from, std::string_view to);

}  // namespace moe
