// The learner's work copy: a directory with one answer file an exercise and a plain-text state.
//
//   top_k_gate.cpp ...            the answers; nothing else is edited
//   compile_commands.json, .clangd for editors
//   moe                            runs this repository's moe on this directory
//   .moe/state                     a line an exercise: name, best points, of, hints seen, "solution" if it was shown
//   .moe/home                      the repository
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/grade/verdict.hpp"

namespace moe {

struct ExerciseState {
  int earned = 0, possible = 0;  // the best so far
  int hints = 0;                 // seen
  bool tried = false, peeked = false;
  bool passed() const { return possible > 0 && earned == possible; }
};

class Workspace {
 public:
  // Makes one; an existing one gets the exercises that it lacks, and keeps its answers. Throws UserError (usage) for a
  // directory that holds other things, (bad_file) where it cannot be written.
  static Workspace create(const std::filesystem::path& directory);
  // The one that the current directory lies in, else the one of MOE_WORK, else the one made last. Throws UserError.
  static Workspace find();

  // Answers that lie somewhere, without a state; nothing is noted.
  static Workspace read_only(const std::filesystem::path& directory);

  const std::filesystem::path& directory() const { return directory_; }
  // What to type here to run `moe` on it: "./moe" in the directory itself, else the path.
  std::string program() const;
  std::filesystem::path answer(const grade::Exercise& exercise) const;
  // Puts the stub where the answer is not there: the exercise may be newer than the directory.
  void provide(const grade::Exercise& exercise) const;
  ExerciseState state(const grade::Exercise& exercise) const;
  void save(const grade::Exercise& exercise, const ExerciseState& state);
  void record(const grade::Verdict& verdict);
  // The first one that is not passed; null when all are.
  const grade::Exercise* next(const std::vector<grade::Exercise>& all) const;

 private:
  explicit Workspace(std::filesystem::path directory);
  void load();
  std::filesystem::path directory_;
  std::map<std::string, ExerciseState> states_;
  bool keeps_state_ = true;
};

}  // namespace moe
