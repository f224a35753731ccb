// A flag that names rows of a table: --only instability,collapse.
#pragma once

#include <algorithm>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "common/app/flag_value.hpp"
#include "kernels/base/check.hpp"

namespace moe::session1 {

// "instability, collapse"
template <class Row>
std::string names_of(std::span<const Row> table) {
  std::string names;
  for (const Row& row : table) names += concat(names.empty() ? "" : ", ", row.name);
  return names;
}

// Rows have a `name`. Those in `names`, separated by commas, or all of them for "all", in the table's order. Throws UserError
// (usage) for another name, with the nearest, and for none.
template <class Row>
std::vector<const Row*> chosen_by_name(std::span<const Row> table, const std::string& names,
                                       const char* flag) {
  std::vector<std::string> known = {"all"}, asked;
  for (const Row& row : table) known.emplace_back(row.name);
  std::istringstream text(names);
  for (std::string name; std::getline(text, name, ',');) {
    if (std::ranges::find(known, name) == known.end()) {
      const std::string nearest = most_similar(name, known);
      throw UserError(
          ExitCode::usage, concat(flag, ": there is no '", name, "'"),
          nearest.empty() ? concat("there are: ", names_of(table)) : concat("did you mean ", nearest, "?"));
    }
    asked.push_back(name);
  }
  if (asked.empty()) throw UserError(ExitCode::usage, concat(flag, " names nothing"), "leave it out for all");
  std::vector<const Row*> rows;
  for (const Row& row : table)
    if (std::ranges::find(asked, "all") != asked.end() || std::ranges::find(asked, row.name) != asked.end())
      rows.push_back(&row);
  return rows;
}

}  // namespace moe::session1
