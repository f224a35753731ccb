#include "common/app/kernel_choice.hpp"

#include <sstream>

#include "kernels/all_versions.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

// Of the operation on the device; empty: no such operation.
std::string names_of_versions(const std::string& operation, const Device& device) {
  std::string names;
  for (const VersionRow& row : all_versions())
    if (row.operation == operation && row.device == device.kind && row.min_sm <= device.sm)
      names += (names.empty() ? "" : ", ") + row.version;
  return names;
}

bool has_version(const ChosenVersion& chosen, const Device& device) {
  for (const VersionRow& row : all_versions())
    if (row.operation == chosen.operation && row.version == chosen.version && row.device == device.kind &&
        row.min_sm <= device.sm)
      return true;
  return false;
}

ChosenVersion parse_one(const std::string& word, const Device& device) {
  const std::size_t at = word.find('=');
  const ChosenVersion chosen{word.substr(0, at), at == std::string::npos ? "" : word.substr(at + 1)};
  const std::string names = names_of_versions(chosen.operation, device);
  if (names.empty())
    throw UserError(ExitCode::usage,
                    concat("--kernels ", word, ": there is no operation '", chosen.operation, "'"),
                    "`moe bench kernels --list` shows all of them");
  if (!has_version(chosen, device))
    throw UserError(ExitCode::usage,
                    concat("--kernels ", word, ": ", chosen.operation, " has no version '", chosen.version,
                           "' on ", name_of(device.kind)),
                    concat("there are: ", names));
  return chosen;
}

}  // namespace

std::vector<ChosenVersion> parse_kernel_choice(const std::string& text, const Device& device) {
  std::vector<ChosenVersion> all;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) all.push_back(parse_one(word, device));
  return all;
}

}  // namespace moe
