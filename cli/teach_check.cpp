// moe teach check: proves every grader. The reference passes; the untouched stub fails every check; each wrong answer
// fails exactly the checks that its first line names, and passes the rest.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <set>
#include <sstream>
#include <thread>

#include "cli/teach.hpp"
#include "common/app/flags.hpp"
#include "common/app/machine.hpp"
#include "common/grade/verdict.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;
using grade::Exercise;
using grade::Verdict;

constexpr int kLeastWrong = 4;

// One answer of the repository and what must come of it.
struct Claim {
  const Exercise* exercise;
  fs::path answer;
  enum class Kind : std::uint8_t { reference, stub, wrong } kind;
  std::string complaint{};  // filled in; "": it holds
  bool graded = true;
};

std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text.empty() ? "none" : text;
}

// Of the first line, "// fails: Ties HandCase".
std::set<std::string> named_checks(const fs::path& answer) {
  std::istringstream in(grade::read_text(answer));
  std::string line, slashes, fails, word;
  std::getline(in, line);
  std::istringstream words(line);
  std::set<std::string> named;
  if (words >> slashes >> fails && slashes == "//" && fails == "fails:")
    while (words >> word) named.insert(word);
  return named;
}

std::string complaint(const Claim& claim, const Verdict& verdict) {
  if (!verdict.built) return "does not compile:\n" + verdict.compiler;
  std::set<std::string> failed, all, wanted;
  std::string broken;
  for (const grade::CheckVerdict& c : verdict.checks) {
    all.insert(c.name);
    if (!c.passed) failed.insert(c.name);
    if (c.broken) broken += concat("\n    ", c.name, " ", c.failure);
  }
  if (!broken.empty()) return "a check is at fault:" + broken;
  if (claim.kind == Claim::Kind::stub) wanted = all;
  if (claim.kind == Claim::Kind::wrong) wanted = named_checks(claim.answer);
  if (claim.kind == Claim::Kind::wrong && wanted.empty()) return "its first line must be: // fails: CHECK...";
  if (claim.kind == Claim::Kind::reference && !verdict.compiler.empty())
    return "warnings:\n" + verdict.compiler;
  if (claim.kind == Claim::Kind::reference && failed.empty() && !verdict.passed())
    return concat("earns ", verdict.earned(), " of ", verdict.possible(), " points");
  if (failed == wanted) return "";
  std::string text = concat("fails ", joined(failed), ", but should fail ", joined(wanted));
  for (const grade::CheckVerdict& c : verdict.checks)
    if (!c.passed && !wanted.contains(c.name)) text += concat("\n    ", c.name, " ", c.failure);
  return text;
}

std::vector<Claim> claims_of(const Exercise& e) {
  std::vector<Claim> claims = {{&e, e.reference(), Claim::Kind::reference},
                               {&e, e.stub(), Claim::Kind::stub}};
  std::vector<fs::path> wrong;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(e.folder / "wrong", ignored)) wrong.push_back(entry.path());
  std::sort(wrong.begin(), wrong.end());
  for (const fs::path& file : wrong) claims.push_back({&e, file, Claim::Kind::wrong});
  return claims;
}

// What is wrong with an exercise's files apart from its answers.
std::vector<std::string> complaints_about_files(const Exercise& e, const std::vector<Claim>& claims,
                                                int points) {
  std::vector<std::string> found;
  if (static_cast<int>(claims.size()) - 2 < kLeastWrong)
    found.push_back(
        concat("only ", claims.size() - 2, " wrong answers, at least ", kLeastWrong, " are needed"));
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
    const Verdict verdict = grade::grade_answer(*claim.exercise, claim.answer, {.seed = seed});
    claim.graded = verdict.state == grade::State::graded;
    if (!claim.graded) return;
    if (claim.kind == Claim::Kind::reference) points = verdict.possible();
    claim.complaint = complaint(claim, verdict);
  } catch (const std::exception& error) {
    claim.complaint = error.what();
  }
}

// Prints what is wrong with the exercise; true when nothing is.
bool check_exercise(const Exercise& e, std::uint64_t seed, int jobs) {
  std::vector<Claim> claims = claims_of(e);
  std::atomic<std::size_t> next{0};
  std::atomic<int> points{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < jobs; ++i)
    threads.emplace_back([&] {
      for (std::size_t c; (c = next++) < claims.size();) examine(claims[c], seed, points);
    });
  threads.clear();
  if (!claims.front().graded) return std::printf("  %-28s not graded (no device)\n", e.name.c_str()), true;
  std::vector<std::string> complaints = complaints_about_files(e, claims, points);
  for (const Claim& claim : claims)
    if (!claim.complaint.empty())
      complaints.push_back(claim.answer.filename().string() + " " + claim.complaint);
  std::printf("  %-28s %s  reference, stub, %zu wrong answers, %d points\n", e.name.c_str(),
              complaints.empty() ? "ok  " : "FAIL", claims.size() - 2, points.load());
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
