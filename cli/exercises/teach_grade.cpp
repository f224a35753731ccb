// moe teach grade: a class's submissions. One bad submission never stops the others; the same seed gives the same grades.
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cli/exercises/grade_class.hpp"
#include "cli/exercises/learn.hpp"
#include "cli/exercises/teach.hpp"
#include "common/app/flags.hpp"
#include "common/app/machine.hpp"
#include "common/app/main.hpp"
#include "common/report/write_file.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;
using grade::Exercise;

// A secret seed: the file's number, or a new one, which the file then keeps, readable by its owner alone.
std::uint64_t seed_in(const fs::path& file) {
  std::ifstream in(file);
  std::uint64_t seed = 0;
  if (in >> seed) return seed;
  if (fs::exists(file)) throw UserError(ExitCode::bad_file, concat(file.string(), " holds no number"), "");
  seed = grade::fresh_seed();
  write_file(file, std::to_string(seed) + "\n");
  chmod(file.c_str(), 0600);
  return seed;
}

struct Options {
  std::vector<std::string> submissions, exercises;
  std::string csv = "grades.csv", seed_file;
  std::optional<std::int64_t> seed;
  int jobs = this_machine().cores;
};

Options parse(int argc, char** argv) {
  Options o;
  Flags flags("moe teach grade",
              "Grades submissions: zip or tar files, or directories, each with answers in it.",
              "moe teach grade submissions/*.zip --csv grades.csv --seed-file ~/secret_seed");
  flags.add("submissions", o.submissions, "archives or directories");
  flags.add("--exercise", o.exercises, "only these: names, or s1");
  flags.add("--csv", o.csv, "where the grades go; every check in a file beside it");
  flags.add("--seed", o.seed, "of the random cases", at_least(0));
  flags.add("--seed-file", o.seed_file, "a secret seed; without either: FILE.seed beside the grades");
  flags.add("--jobs,-j", o.jobs, "answers at a time", between(1, 256));
  flags.parse(argc, argv);
  if (o.submissions.empty())
    throw UserError(ExitCode::usage, "no submissions", "moe teach grade submissions/*.zip --csv grades.csv");
  if (o.seed_file.empty()) o.seed_file = o.csv + ".seed";
  return o;
}

void print_summary(const std::vector<Submission>& submissions, const Options& o) {
  std::size_t refused = 0;
  for (const Submission& s : submissions) {
    if (s.refused.empty()) continue;
    ++refused;
    std::printf("refused  %s: %s\n", s.name.c_str(), s.refused.c_str());
  }
  std::printf("%zu submissions, %zu refused; grades in %s, every check in %s\nnext: ./moe teach report %s\n",
              submissions.size(), refused, o.csv.c_str(), checks_file(o.csv).c_str(), o.csv.c_str());
}

}  // namespace

int teach_grade_main(int argc, char** argv) {
  const Options o = parse(argc, argv);
  const std::vector<Exercise> exercises = grade::choose_exercises(grade::find_exercises(), o.exercises);
  const std::uint64_t seed = o.seed ? static_cast<std::uint64_t>(*o.seed) : seed_in(o.seed_file);
  warn_if_unsealed();
  const auto submissions = grade_class(o.submissions, exercises, seed, o.jobs);
  if (!submissions) return kExitInterrupted;
  write_file(o.csv, class_table(*submissions, exercises));
  write_file(checks_file(o.csv).string(), checks_table(*submissions));
  print_summary(*submissions, o);
  return 0;
}

}  // namespace moe
