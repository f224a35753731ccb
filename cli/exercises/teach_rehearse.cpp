// moe teach rehearse: a class that never was. Its submissions are made of the answers that the exercises keep, so that of every
// verdict it is known what it should be; they go the way of a real class's.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include "cli/exercises/grade_class.hpp"
#include "cli/exercises/kept_answers.hpp"
#include "cli/exercises/teach.hpp"
#include "common/app/flags.hpp"
#include "common/app/format.hpp"
#include "common/app/machine.hpp"
#include "common/app/main.hpp"
#include "common/app/scratch_directory.hpp"
#include "kernels/base/check.hpp"
#include "kernels/base/random.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;
using grade::Exercise;

struct Options {
  std::int64_t submissions = 100;
  std::vector<std::string> exercises;
  std::uint64_t seed = 1;
  int jobs = this_machine().cores;
};

Options parse(int argc, char** argv) {
  Options o;
  Flags flags(
      "moe teach rehearse",
      "Grades a made-up class of references, wrong answers and stubs, and looks whether every verdict "
      "is right.",
      "moe teach rehearse\nmoe teach rehearse --submissions 10 --exercise top_k_gate");
  flags.add("--submissions,-n", o.submissions, "how many", between(1, 100000));
  flags.add("--exercise", o.exercises, "only these: names, or s1");
  flags.add("--seed", o.seed, "of who hands in what, and of the random cases");
  flags.add("--jobs,-j", o.jobs, "answers at a time", between(1, 256));
  flags.parse(argc, argv);
  return o;
}

// Of ten, six have solved an exercise, and one in thirty has not touched it.
const KeptAnswer& handed_in(const std::vector<KeptAnswer>& kept, std::uint64_t seed, std::uint64_t place) {
  const auto draw = philox({.seed = seed}, place);
  const float share = to_uniform(draw[0]);
  if (share < 0.6f || kept.size() < 3) return kept[0];
  if (share > 0.97f) return kept[1];
  return kept[2 + draw[1] % (kept.size() - 2)];
}

// A copy for every submission but of the stub: equal answers are graded once.
void write_answer(const fs::path& directory, const KeptAnswer& answer, std::int64_t submission) {
  std::string text = grade::read_text(answer.file);
  if (answer.kind != KeptAnswer::Kind::stub) text += concat("\n// submission ", submission, "\n");
  const fs::path file = directory / (answer.exercise->name + answer.file.extension().string());
  std::ofstream out(file);
  if (!(out << text).flush()) throw UserError(ExitCode::bad_file, concat("cannot write ", file.string()), "");
}

class Rehearsal {
 public:
  explicit Rehearsal(const Options& o)
      : options_(o), exercises_(grade::choose_exercises(grade::find_exercises(), o.exercises)) {
    for (const Exercise& e : exercises_) kept_.push_back(kept_answers(e));
  }

  // Paths of the submissions' directories.
  std::vector<std::string> hand_in(const fs::path& directory) const {
    std::vector<std::string> paths;
    for (std::int64_t i = 0; i < options_.submissions; ++i) {
      const fs::path mine = directory / concat("submission", i);
      fs::create_directory(mine);
      for (std::size_t e = 0; e < exercises_.size(); ++e) write_answer(mine, answer(i, e), i);
      paths.push_back(mine.string());
    }
    return paths;
  }

  // Prints every verdict that is not what it should be.
  void judge(const std::vector<Submission>& graded) {
    for (std::int64_t i = 0; i < options_.submissions; ++i) {
      const Submission& s = graded[i];
      MOE_CHECK(s.refused.empty(), s.name, " was refused: ", s.refused);
      for (std::size_t e = 0; e < exercises_.size(); ++e) judge(s, answer(i, e), s.verdicts[e]);
    }
  }

  int report(double seconds) const {
    const auto s = [](std::size_t n) { return n == 1 ? "" : "s"; };
    std::printf("%ld submission%s of %zu exercise%s, graded in %s with %d job%s\n", options_.submissions,
                s(options_.submissions), exercises_.size(), s(exercises_.size()),
                format_duration(seconds).c_str(), options_.jobs, s(options_.jobs));
    std::printf("%d references, %d wrong answers, %d stubs: %d misjudged\n", handed_in_[0], handed_in_[2],
                handed_in_[1], misjudged_);
    if (not_graded_ > 0) std::printf("%d more were not graded (no device)\n", not_graded_);
    return misjudged_ == 0 ? 0 : 1;
  }

  const std::vector<Exercise>& exercises() const { return exercises_; }

 private:
  const KeptAnswer& answer(std::int64_t submission, std::size_t e) const {
    return handed_in(kept_[e], options_.seed, static_cast<std::uint64_t>(submission) * exercises_.size() + e);
  }

  void judge(const Submission& s, const KeptAnswer& answer, const grade::Verdict& verdict) {
    if (verdict.state != grade::State::graded) {
      ++not_graded_;
      return;
    }
    ++handed_in_[static_cast<std::size_t>(answer.kind)];
    const std::string what = complaint(answer, verdict);
    if (what.empty()) return;
    ++misjudged_;
    std::printf("%s, %s of %s %s\n", s.name.c_str(), answer.file.filename().c_str(),
                answer.exercise->name.c_str(), what.c_str());
  }

  Options options_;
  std::vector<Exercise> exercises_;
  std::vector<std::vector<KeptAnswer>> kept_;
  int handed_in_[3] = {}, misjudged_ = 0, not_graded_ = 0;
};

}  // namespace

int teach_rehearse_main(int argc, char** argv) {
  const Options o = parse(argc, argv);
  Rehearsal rehearsal(o);
  const ScratchDirectory scratch("moe_class");
  const std::vector<std::string> paths = rehearsal.hand_in(scratch.path());
  const auto start = std::chrono::steady_clock::now();
  const std::optional<std::vector<Submission>> graded =
      grade_class(paths, rehearsal.exercises(), o.seed, o.jobs);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!graded) return kExitInterrupted;
  rehearsal.judge(*graded);
  return rehearsal.report(seconds);
}

}  // namespace moe
