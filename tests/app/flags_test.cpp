#include "common/app/flags.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

// Flags as a program would have them.
struct Program {
  int steps = 600;
  std::int64_t tokens = 0;
  std::uint64_t seed = 1;
  double rate = 3e-3;
  bool json = false, renormalise = true;
  std::string router = "topk", prompt;
  std::vector<std::string> texts;
  std::vector<int> seeds{0};
  std::optional<double> capacity;
  Flags flags{"moe demo", "Trains two models.", "moe demo 1 --quick\nmoe demo 1 --top-k 2"};

  Program() {
    flags.add("prompt", prompt, "how the text begins");
    flags.group("Training");
    flags.add("--steps,-n", steps, "optimiser steps", between(1, 1000));
    flags.add("--tokens", tokens, "tokens");
    flags.add("--seed", seed, "seed");
    flags.add("--rate", rate, "learning rate", at_least(0));
    flags.add("--json", json, "JSON");
    flags.add("--renormalise", renormalise, "gates sum to 1");
    flags.add("--router", router, "router", one_of({"topk", "switch"}));
    flags.add("--text", texts, "name=path");
    flags.add("--seeds", seeds, "seeds");
    flags.add("--capacity", capacity, "capacity factor");
    flags.config_file();
  }
  void parse(std::vector<const char*> words) {
    words.insert(words.begin(), "program");
    flags.parse(static_cast<int>(words.size()), words.data());
  }
};

// What a UserError says, after its code was checked; "" when none is thrown.
template <class Body>
std::string message_of(ExitCode code, Body body) {
  try {
    body();
  } catch (const UserError& error) {
    EXPECT_EQ(static_cast<int>(error.code()), static_cast<int>(code));
    return error.what();
  }
  return "";
}
std::string usage_error(std::vector<const char*> words) {
  return message_of(ExitCode::usage, [&] { Program().parse(words); });
}

class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text)
      : path_(::testing::TempDir() + "flags." + std::to_string(getpid())) {
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { std::filesystem::remove(path_); }
  const char* path() const { return path_.c_str(); }

 private:
  std::string path_;
};

TEST(Flags, ValuesOfEveryTypeArrive) {
  Program p;
  p.parse({"once", "--steps", "7", "--tokens=-5000000000", "--seed", "18446744073709551615", "--rate", "1e-4",
           "--json", "--router", "switch", "--text", "a=x,y", "--text", "b=z", "--seeds", "1,2", "--capacity",
           "1.25"});
  EXPECT_EQ(p.prompt, "once");
  EXPECT_EQ(p.steps, 7);
  EXPECT_EQ(p.tokens, -5000000000);
  EXPECT_EQ(p.seed, 18446744073709551615u);
  EXPECT_EQ(p.rate, 1e-4);
  EXPECT_TRUE(p.json);
  EXPECT_EQ(p.router, "switch");
  EXPECT_EQ(p.texts, (std::vector<std::string>{"a=x,y", "b=z"}));
  EXPECT_EQ(p.seeds, (std::vector<int>{1, 2}));
  EXPECT_EQ(p.capacity, 1.25);
}

TEST(Flags, WhatIsNotGivenKeepsItsValue) {
  Program p;
  p.parse({"--json"});
  EXPECT_EQ(p.steps, 600);
  EXPECT_FALSE(p.capacity.has_value());
  EXPECT_FALSE(p.flags.given("--steps"));
  EXPECT_TRUE(p.flags.given("--json"));
}

TEST(Flags, TheLastOfSeveralValuesWins) {
  Program p;
  p.parse({"--steps", "1", "-n", "3", "--json", "--no-json", "--no-renormalise"});
  EXPECT_EQ(p.steps, 3);
  EXPECT_FALSE(p.json);
  EXPECT_FALSE(p.renormalise);
}

TEST(Flags, NegativeValuesAreValues) {
  Program p;
  p.parse({"--tokens", "-5"});
  EXPECT_EQ(p.tokens, -5);
}

TEST(Flags, AfterTwoDashesNothingIsAFlag) {
  Program p;
  p.parse({"--json", "--", "--steps"});
  EXPECT_EQ(p.prompt, "--steps");
}

TEST(Flags, UnknownFlagsGetTheMostSimilarOne) {
  EXPECT_EQ(usage_error({"--step", "3"}),
            "unknown flag --step\n  Did you mean --steps? See moe demo --help.");
  EXPECT_EQ(usage_error({"--ruoter=topk"}),
            "unknown flag --ruoter\n  Did you mean --router? See moe demo --help.");
  EXPECT_EQ(usage_error({"--xyzzy"}), "unknown flag --xyzzy\n  See moe demo --help.");
}

TEST(Flags, TheBoundsThemselvesAreAllowed) {
  EXPECT_EQ(usage_error({"--steps", "1"}), "");
  EXPECT_EQ(usage_error({"--steps", "1000"}), "");
  EXPECT_EQ(usage_error({"--rate", "0"}), "");
}

TEST(Flags, WrongValuesAreNamed) {
  const std::string see = "\n  See moe demo --help.";
  EXPECT_EQ(usage_error({"--steps", "3.5"}), "--steps is no whole number: 3.5" + see);
  EXPECT_EQ(usage_error({"--steps", ""}), "--steps is no whole number: " + see);
  EXPECT_EQ(usage_error({"--steps", "0"}), "--steps must be at least 1, not 0" + see);
  EXPECT_EQ(usage_error({"--steps", "1001"}), "--steps must be at most 1000, not 1001" + see);
  EXPECT_EQ(usage_error({"--steps", "99999999999"}), "--steps is too large: 99999999999" + see);
  EXPECT_EQ(usage_error({"--seed", "-1"}), "--seed is no whole number: -1" + see);
  EXPECT_EQ(usage_error({"--rate", "nan"}), "--rate must be a finite number" + see);
  EXPECT_EQ(usage_error({"--rate", "fast"}), "--rate is no number: fast" + see);
  EXPECT_EQ(usage_error({"--router", "tpok"}), "--router is topk or switch, not tpok" + see);
  EXPECT_EQ(usage_error({"--seeds", "1,,2"}), "--seeds is no whole number: " + see);
  EXPECT_EQ(usage_error({"one", "two"}), "unexpected argument two" + see);
  EXPECT_NE(usage_error({"--steps"}), "");
}

TEST(Flags, ConfigFilesSetWhatTheCommandLineLeavesOpen) {
  const ConfigFile file(
      "# a run\nsteps = 12\nrate=0.5 # high\njson = true\n\ntext = [\"a=x#1\", b=y]\nrouter = "
      "'switch'\nseeds = [3, 4]\n");
  Program p;
  p.parse({"--config", file.path(), "--steps", "9"});
  EXPECT_EQ(p.steps, 9);
  EXPECT_EQ(p.rate, 0.5);
  EXPECT_TRUE(p.json);
  EXPECT_EQ(p.router, "switch");
  EXPECT_EQ(p.texts, (std::vector<std::string>{"a=x#1", "b=y"}));
  EXPECT_EQ(p.seeds, (std::vector<int>{3, 4}));
  EXPECT_TRUE(p.flags.given("--rate"));
}

TEST(Flags, ConfigErrorsNameFileLineAndKey) {
  const auto error_in = [](const std::string& text) {
    const ConfigFile file(text);
    std::string message = message_of(ExitCode::bad_file, [&] { Program().parse({"--config", file.path()}); });
    EXPECT_EQ(message.rfind(file.path(), 0), 0u) << message;
    return message.substr(std::string(file.path()).size(),
                          message.find('\n') - std::string(file.path()).size());
  };
  EXPECT_EQ(error_in("steps = 3\n\nstpes = 4\n"), ":3: unknown key stpes");
  EXPECT_EQ(error_in("config = x\n"), ":1: unknown key config");
  EXPECT_EQ(error_in("steps = many\n"), ":1: steps is no whole number: many");
  EXPECT_EQ(error_in("steps 3\n"), ":1: no `key = value`: steps 3");
  EXPECT_EQ(error_in(" = 3\n"), ":1: no `key = value`: = 3");
  EXPECT_EQ(error_in("steps =\n"), ":1: a key without a value");
  EXPECT_EQ(error_in("router = \"topk\n"), ":1: a quote that is not closed");
  EXPECT_EQ(error_in("seeds = [1, 2\n"), ":1: a list that is not closed by ] on its line");
  EXPECT_EQ(error_in("seeds = []\n"), ":1: seeds has no value");
}

TEST(Flags, ConfigKeysMayHaveUnderscores) {
  int top_k = 2;
  Flags flags("x", "x");
  flags.add("--top-k", top_k, "experts per token");
  flags.config_file();
  const ConfigFile file("top_k = 4\n");
  const char* words[] = {"x", "--config", file.path()};
  flags.parse(3, words);
  EXPECT_EQ(top_k, 4);
}

TEST(Flags, AMissingConfigFileIsABadFile) {
  EXPECT_NE(message_of(ExitCode::bad_file,
                       [] {
                         Program().parse({"--config", "/no/such"});
                       })
                .find("/no/such"),
            std::string::npos);
}

TEST(Flags, ARequiredPositionalMustBeGiven) {
  std::string session;
  Flags flags("moe demo", "x");
  flags.add("session", session, "number", required());
  const char* words[] = {"moe"};
  EXPECT_EQ(message_of(ExitCode::usage, [&] { flags.parse(1, words); }),
            "session is missing\n  See moe demo --help.");
}

TEST(Flags, HelpShowsDefaultsRangesGroupsAndExamples) {
  const std::string help = Program().flags.help();
  for (const char* part :
       {"Trains two models.\n", "Usage: moe demo [prompt] [flags]\n", "Training:\n", "  --steps, -n N",
        "optimiser steps [1..1000, default 600]", "[topk|switch, default topk]", "  --no-renormalise  ",
        "  --text TEXT...  ", "Examples:\n  moe demo 1 --quick\n"})
    EXPECT_NE(help.find(part), std::string::npos) << part << "\nin\n" << help;
}

TEST(Flags, HelpAndVersionEndTheProgramWithZero) {
  EXPECT_EXIT(Program().parse({"--steps", "oops", "--help"}), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(Program().parse({"--version"}), ::testing::ExitedWithCode(0), "");
}

TEST(Flags, ValuesAreListedForTheReport) {
  Program p;
  p.parse({"--steps", "9", "--seeds", "1,2", "--json"});
  const auto values = p.flags.values();
  const auto value = [&](const std::string& name) {
    for (const auto& [key, text] : values)
      if (key == name) return text;
    return std::string("absent");
  };
  EXPECT_EQ(value("steps"), "9");
  EXPECT_EQ(value("rate"), "0.003");
  EXPECT_EQ(value("seeds"), "1,2");
  EXPECT_EQ(value("json"), "on");
  EXPECT_EQ(value("capacity"), "");
}

TEST(Similarity, FewestEditsWinAndFarWordsDoNot) {
  const std::vector<std::string> names{"--steps", "--seed", "--seeds"};
  EXPECT_EQ(most_similar("--sed", names), "--seed");
  EXPECT_EQ(most_similar("--stepps", names), "--steps");
  EXPECT_EQ(most_similar("--quiet", names), "");
  EXPECT_EQ(most_similar("aaaaaexperts", std::vector<std::string>{"experts"}), "") << "five edits in front";
}

}  // namespace
}  // namespace moe
