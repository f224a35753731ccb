// The fuzz targets without a fuzzer, in every build: their seeds, the inputs that once broke something, and damaged seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "kernels/base/random.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/temporary_directory.hpp"

namespace moe::fuzz {
namespace {

namespace fs = std::filesystem;

class Replay : public ::testing::TestWithParam<Target> {};

TEST_P(Replay, SeedsAreAccepted) {
  for (const std::string& seed : GetParam().seeds()) EXPECT_TRUE(GetParam().run(seed)) << seed;
}

TEST_P(Replay, FoundInputsAreSurvived) {
  const fs::path folder = fs::path(MOE_FUZZ_FOUND) / GetParam().name;
  if (!fs::exists(folder)) GTEST_SKIP() << "nothing was found in " << GetParam().name;
  for (const auto& entry : fs::directory_iterator(folder))
    EXPECT_NO_THROW(survives(GetParam(), testing::contents(entry.path()))) << entry.path();
}

// A few bytes changed, removed, doubled or taken from elsewhere in the seed.
std::string damaged(std::string text, std::uint64_t number) {
  const RngKey key{.seed = 4};
  for (std::uint64_t i = 0; i <= number % 4 && !text.empty(); ++i) {
    const auto word = philox(key, number * 4 + i);
    const std::size_t at = word[0] % text.size(),
                      length = 1 + word[1] % std::min<std::size_t>(16, text.size() - at);
    switch (word[2] % 4) {
      case 0:
        text[at] = static_cast<char>(word[3]);
        break;
      case 1:
        text.erase(at, length);
        break;
      case 2:
        text.insert(at, text.substr(at, length));
        break;
      default:
        text.replace(at, length, text.substr(word[3] % text.size(), length));
    }
  }
  return text;
}

TEST_P(Replay, DamagedSeedsAreSurvived) {
  const std::vector<std::string> seeds = GetParam().seeds();
  int accepted = 0;
  for (std::uint64_t n = 0; n < 4000; ++n) {
    const std::string input = damaged(seeds[n % seeds.size()], n);
    EXPECT_NO_THROW(accepted += survives(GetParam(), input)) << "number " << n << ": " << input;
  }
  EXPECT_GT(accepted, 0) << "nothing came past the first check";
  EXPECT_LT(accepted, 4000) << "nothing was refused";
}

// Deeper than a recursive walk survives on a stack of 8 MiB, which no fuzzer of small inputs tries: in place of each value.
TEST_P(Replay, DeepNestingIsSurvived) {
  constexpr std::size_t kDepth = 100'000;
  const std::string lists = std::string(kDepth, '[') + std::string(kDepth, ']');
  std::string objects;
  for (std::size_t i = 0; i < kDepth; ++i) objects += "{\"a\":";
  objects += "1" + std::string(kDepth, '}');
  for (const std::string& seed : GetParam().seeds()) {
    int places = 0;  // of the hundreds of tokens a few are enough
    for (std::size_t colon = seed.find(':'); colon != seed.npos && places < 40;
         colon = seed.find(':', colon + 1), ++places) {
      const std::size_t end = std::min(seed.find_first_of(",}", colon + 1), seed.size());
      const std::string& nested = places % 2 == 0 ? lists : objects;
      EXPECT_NO_THROW(survives(GetParam(), seed.substr(0, colon + 1) + nested + seed.substr(end)))
          << seed.substr(0, colon);
    }
    for (const std::string& nested : {lists, objects}) {
      EXPECT_NO_THROW(survives(GetParam(), nested));
      EXPECT_NO_THROW(survives(GetParam(), seed.substr(0, 1) + nested));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Replay, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(FuzzTargets, WhatIsNoRefusalPasses) {
  const auto broken = [](std::string_view) -> bool { throw Error("broken promise"); };
  const auto usage = [](std::string_view) -> bool { throw UserError(ExitCode::usage, "", ""); };
  const auto refused = [](std::string_view) -> bool { throw UserError(ExitCode::bad_file, "", ""); };
  EXPECT_THROW(survives({"broken", broken, nullptr}, ""), Error);
  EXPECT_THROW(survives({"usage", usage, nullptr}, ""), UserError);
  EXPECT_FALSE(survives({"refused", refused, nullptr}, ""));
}

}  // namespace
}  // namespace moe::fuzz
