// Recorded figures and tables, and the runs that make them again.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moe {

struct Figure {
  std::string_view stage;              // number of the stage that makes it
  std::vector<std::string> arguments;  // with these arguments
  std::string_view result;             // what it rewrites, from the repository's root
  std::string_view cost;               // "35 minutes on 2 cores"
};

std::span<const Figure> figures();

}  // namespace moe
