// Command-line flags of every program here.
//
//   Flags flags("moe demo", "Trains a dense model and an MoE model and compares them.",
//               "moe demo 1 --quick\nmoe demo 1 --experts 32 --top-k 2");
//   flags.add("--steps", steps, "optimiser steps", between(1, 1000000));
//   flags.add("--router", router, "how tokens choose experts", one_of({"topk", "switch"}));
//   flags.config_file();
//   flags.parse(argc, argv);
//
// A name is "--steps", "--out,-o", or "prompt" (positional: taken by its place, in the order of the calls). A
// target keeps its value, which help shows as the default, unless the command line or the configuration file
// gives one; the command line comes first. The last of several values wins, except in a vector, which takes
// them all
// (--text a=x --text b=y; vectors of numbers also --seeds 1,2,3). bool: --json, --no-json.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/app/flag_value.hpp"

namespace moe {

class Flags {
 public:
  // `summary`: one sentence. `examples`: command lines, one a line.
  Flags(std::string program, std::string summary, std::string examples = "");
  ~Flags();
  Flags(const Flags&) = delete;
  Flags& operator=(const Flags&) = delete;

  template <class T>
  void add(const std::string& name, T& target, const std::string& help, const Limits& limits = {}) {
    add_target(name, FlagTarget(&target), help, limits);
  }

  // Heading of the flags that follow, in the help.
  void group(const std::string& title);

  // A flag that names a file of settings (common/app/config_file.hpp) with the flags' names as keys.
  void config_file(const std::string& name = "--config");

  // --help and --version print to stdout and end the program with code 0. Throws UserError: usage (code 2)
  // for what is wrong on the command line, with the most similar flag; bad_file (code 4) for the
  // configuration file, with file and key.
  void parse(int argc, const char* const* argv);

  bool given(const std::string& name) const;  // "--steps": on the command line or in the file
  std::string help() const;

  // All flags and their values as text, for a report; sorted as added.
  std::vector<std::pair<std::string, std::string>> values() const;

 private:
  struct Parser;
  void add_target(const std::string& names, FlagTarget target, const std::string& help, const Limits& limits);
  std::unique_ptr<Parser> parser_;
};

}  // namespace moe
