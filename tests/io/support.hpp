// Directory entries, and what a UserError said.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>
#include <string>

#include "kernels/base/check.hpp"
#include "tests/support/temporary_directory.hpp"

namespace moe::testing {

inline std::size_t entries_in(const std::filesystem::path& directory) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
}

// The message of the UserError that `action` throws; "" when it throws none, and a failure when the code is
// not bad_file. Any other exception goes through and fails the test.
template <class Action>
std::string complaint(Action&& action) {
  try {
    action();
  } catch (const UserError& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_file) << error.what();
    return error.what();
  }
  return "";
}

inline ::testing::AssertionResult says(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "expected \"" << part << "\" in: " << (text.empty() ? "(no complaint)" : text);
}

}  // namespace moe::testing
