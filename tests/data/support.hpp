// Temporary files and texts whose every line is unique, for the tests of common/data.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "common/data/domain_source.hpp"
#include "kernels/base/check.hpp"
#include "tests/support/temporary_directory.hpp"

namespace moe::testing {

class TemporaryFolder : public TemporaryDirectory {
 public:
  std::string operator/(const std::string& name) const { return (path() / name).string(); }

  std::string write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path() / name).parent_path());
    put(path() / name, text);
    return *this / name;
  }
  std::string write_gz(const std::string& name, const std::string& text) const {
    gzFile file = ::gzopen((*this / name).c_str(), "wb");
    ::gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    ::gzclose(file);
    return *this / name;
  }
};

// "x 00000\nx 00001\n...": 8 bytes a line for a one-letter label.
inline std::string numbered_lines(int count, const std::string& label = "x") {
  std::string text;
  char number[16];
  for (int i = 0; i < count; ++i) {
    std::snprintf(number, sizeof number, " %05d\n", i);
    text += label + number;
  }
  return text;
}

inline DomainSource packaged(const std::string& name, std::vector<std::string> where,
                             const std::string& package) {
  DomainSource source;
  source.name = name;
  source.where = std::move(where);
  source.package = package;
  return source;
}

// The call throws UserError with this exit code and this piece of text.
template <class F>
void expect_user_error(ExitCode code, const std::string& piece, F&& f) {
  try {
    f();
    ADD_FAILURE() << "no UserError; expected one with: " << piece;
  } catch (const UserError& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code)) << error.what();
    EXPECT_NE(std::string(error.what()).find(piece), std::string::npos) << error.what();
  }
}

}  // namespace moe::testing
