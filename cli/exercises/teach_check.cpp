// moe teach check: proves every grader. The reference passes; the untouched stub fails every check; each wrong answer
// fails exactly the checks that its first line names, and passes the rest.
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "cli/exercises/kept_answers.hpp"
#include "cli/exercises/teach.hpp"
#include "common/app/flags.hpp"
#include "common/app/machine.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

using grade::Exercise;
using grade::Verdict;

constexpr std::size_t kLeastWrong = 4;

// A kept answer, and what came of it.
struct Claim {
  KeptAnswer answer;
  std::string complaint{};  // "": it is as it should be
  bool graded = true;
};

// What is wrong with an exercise's files apart from its answers.
std::vector<std::string> complaints_about_files(const Exercise& e, std::size_t wrong, int points) {
  std::vector<std::string> found;
  if (wrong < kLeastWrong)
    found.push_back(concat("only ", wrong, " wrong answers, at least ", kLeastWrong, " are needed"));
  if (grade::read_hints(e).size() != 3) found.push_back("hints.md must have three headings \"## ...\"");
  if (e.title.empty()) found.push_back("README.md has no title");
  if (e.points != points)
    found.push_back(concat("README.md says ", e.points, " points, its checks add up to ", points));
  if (e.effort.find("lines") == std::string::npos || e.effort.find("minutes") == std::string::npos)
    found.push_back("README.md needs a line: **About 12 lines, 20 minutes, 10 points.**");
  if (grade::read_text(e.folder / "README.md").find("](../../../sessions/") == std::string::npos)
    found.push_back("README.md has no link to its place in the lesson");
  return found;
}

void examine(Claim& claim, std::uint64_t seed, std::atomic<int>& points) {
  try {
    const Verdict verdict = grade::grade_answer(*claim.answer.exercise, claim.answer.file, {.seed = seed});
    claim.graded = verdict.state == grade::State::graded;
    if (!claim.graded) return;
    if (claim.answer.kind == KeptAnswer::Kind::reference) points = verdict.possible();
    claim.complaint = complaint(claim.answer, verdict);
  } catch (const std::exception& error) {
    claim.complaint = error.what();
  }
}

// Prints what is wrong with the exercise; true when nothing is.
bool check_exercise(const Exercise& e, std::uint64_t seed, int jobs) {
  std::vector<Claim> claims;
  for (const KeptAnswer& answer : kept_answers(e)) claims.push_back({answer});
  const std::size_t wrong = claims.size() - 2;
  std::atomic<std::size_t> next{0};
  std::atomic<int> points{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < jobs; ++i)
    threads.emplace_back([&] {
      for (std::size_t c; (c = next++) < claims.size();) examine(claims[c], seed, points);
    });
  threads.clear();
  if (!claims.front().graded) return std::printf("  %-28s not graded (no device)\n", e.name.c_str()), true;
  std::vector<std::string> complaints = complaints_about_files(e, wrong, points);
  for (const Claim& claim : claims)
    if (!claim.complaint.empty())
      complaints.push_back(claim.answer.file.filename().string() + " " + claim.complaint);
  std::printf("  %-28s %s  reference, stub, %zu wrong answers, %d points\n", e.name.c_str(),
              complaints.empty() ? "ok  " : "FAIL", wrong, points.load());
  for (const std::string& text : complaints) std::printf("    %s\n", text.c_str());
  std::fflush(stdout);
  return complaints.empty();
}

}  // namespace

int teach_check_main(int argc, char** argv) {
  std::vector<std::string> names;
  std::uint64_t seed = 1;
  int jobs = this_machine().cores;
  Flags flags("moe teach check",
              "Proves the graders: references pass, stubs and wrong answers fail as they should.",
              "moe teach check\nmoe teach check top_k_gate --seed 7");
  flags.add("exercises", names, "names, s1, or all");
  flags.add("--seed", seed, "of the random cases");
  flags.add("--jobs,-j", jobs, "answers at a time", between(1, 64));
  flags.parse(argc, argv);
  const std::vector<Exercise> all = grade::find_exercises();
  int bad = 0;
  const std::vector<Exercise> chosen = grade::choose_exercises(all, names);
  for (const Exercise& e : chosen) bad += !check_exercise(e, seed, jobs);
  std::printf("%zu exercises, %d at fault\n", chosen.size(), bad);
  return bad == 0 ? 0 : 1;
}

}  // namespace moe
