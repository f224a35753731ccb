// Exercises on disk: exercises/NN_session/NN_name/ in the repository, which holds README.md, hints.md, contract.hpp,
// entry.cpp, checks.cpp, answer.cpp or .cu (the stub), reference.*, wrong/*.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace moe::grade {

struct Exercise {
  std::string id;       // "01_overview/01_top_k_gate", its folder
  std::string name;     // "top_k_gate": what the learner types
  std::string session;  // "01"
  std::string title;    // the README's first heading
  std::string effort;   // its line in bold below: "about 12 lines, 20 minutes, 10 points"
  std::filesystem::path folder;
  bool device = false;  // a CUDA kernel: answer.cu
  int points = 0;       // as the README says; the grader's checks must add up to it

  std::string answer_file() const { return device ? "answer.cu" : "answer.cpp"; }
  std::string reference_file() const { return device ? "reference.cu" : "reference.cpp"; }
  std::filesystem::path stub() const { return folder / answer_file(); }
  std::filesystem::path reference() const { return folder / reference_file(); }
};

// The repository that this program was built from.
std::filesystem::path repository();

// All of them, in the order of their folders. MOE_EXERCISES_DIR, for tests, names spoiled copies of the same. Throws
// UserError (missing) where there are none.
std::vector<Exercise> find_exercises();

// By name, by the beginning of a name, or by folder. Throws UserError (usage) with the nearest name.
const Exercise& find_exercise(const std::vector<Exercise>& all, const std::string& name);

// "all", "s1", or names: which ones. Throws UserError (usage).
std::vector<Exercise> choose_exercises(const std::vector<Exercise>& all,
                                       const std::vector<std::string>& words);

// The arrays of a README's blocks ```example: lines "name = 1 2 3", or continued on lines of numbers alone.
std::map<std::string, std::vector<double>> read_example(const std::filesystem::path& readme);

// The three hints of hints.md, each after a heading "## ...".
std::vector<std::string> read_hints(const Exercise& exercise);

// A file as text. Throws UserError (bad_file).
std::string read_text(const std::filesystem::path& file);

}  // namespace moe::grade
