// The text of --help.
#pragma once

#include <string>
#include <vector>

#include "common/app/flag_value.hpp"

namespace moe {

struct HelpEntry {
  std::string names{};  // "--out,-o"; "" for the heading of a group, which stands in help
  std::string placeholder{};
  std::string help{};
  std::string default_value{};
  Limits limits{};
  bool is_switch = false;
};

struct HelpPage {
  std::string program, summary, examples;
  std::vector<HelpEntry> entries;
};

std::string render(const HelpPage& page);

}  // namespace moe
