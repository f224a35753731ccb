// moe teach report: what a class found hard.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "cli/exercises/class_grades.hpp"
#include "cli/exercises/teach.hpp"
#include "common/app/flags.hpp"
#include "common/app/format.hpp"
#include "common/app/utf8.hpp"
#include "common/report/table.hpp"
#include "kernels/base/check.hpp"

namespace moe {
namespace {

struct OfCheck {
  int failed = 0;
  std::map<std::string, int> reasons{};
};
struct OfExercise {
  std::set<std::string> handed_in, failed{};  // submissions
  double earned = 0, possible = 0;
  std::map<std::string, OfCheck> checks{};
};

// A column of grades.checks.csv.
enum Cell : std::size_t { kSubmission, kExercise, kCheck, kEarned, kPossible, kResult, kReason, kCells };

std::map<std::string, OfExercise> count(const std::vector<std::vector<std::string>>& rows) {
  std::map<std::string, OfExercise> all;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto& row = rows[i];
    if (row.size() != kCells || row[kExercise].empty() || row[kResult].starts_with("not graded")) continue;
    OfExercise& e = all[row[kExercise]];
    e.earned += std::atof(row[kEarned].c_str());
    e.possible += std::atof(row[kPossible].c_str());
    if (row[kResult] != "no answer") e.handed_in.insert(row[kSubmission]);
    if (row[kResult] == "passed") continue;
    e.failed.insert(row[kSubmission]);
    OfCheck& c = e.checks[row[kCheck].empty() ? row[kResult] : row[kCheck]];
    ++c.failed;
    ++c.reasons[row[kReason]];
  }
  return all;
}

std::string commonest(const std::map<std::string, int>& counts) {
  const auto most = std::max_element(counts.begin(), counts.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? "" : most->first;
}

}  // namespace

int teach_report_main(int argc, char** argv) {
  std::string csv = "grades.csv";
  int most = 10;
  Flags flags("moe teach report", "Pass rates, and the checks that failed most often.",
              "moe teach report grades.csv");
  flags.add("grades", csv, "as `moe teach grade` wrote it");
  flags.add("--most", most, "how many checks", at_least(1));
  flags.parse(argc, argv);
  const auto all = count(read_csv(checks_file(csv)));
  if (all.empty())
    throw UserError(ExitCode::bad_file, concat(checks_file(csv).string(), " holds no grades"), "");
  Table table({{"exercise", Align::left}, {"handed in"}, {"passed"}, {"mean points"}});
  std::vector<std::tuple<int, std::string, std::string>> checks;
  for (const auto& [name, e] : all) {
    const auto passed = std::count_if(e.handed_in.begin(), e.handed_in.end(),
                                      [&e = e](const std::string& s) { return !e.failed.contains(s); });
    const double n = static_cast<double>(std::max<std::size_t>(e.handed_in.size(), 1));
    table.row({name, std::to_string(e.handed_in.size()), format_percent(static_cast<double>(passed) / n, 0),
               e.possible > 0 ? format_percent(e.earned / e.possible, 0) : "-"});
    for (const auto& [check, c] : e.checks)
      checks.emplace_back(c.failed, name + ": " + check, commonest(c.reasons));
  }
  std::printf("%s\nchecks that failed most often\n", table.terminal().c_str());
  std::sort(checks.begin(), checks.end(), [](const auto& a, const auto& b) {
    return std::get<0>(a) != std::get<0>(b) ? std::get<0>(a) > std::get<0>(b)
                                            : std::get<1>(a) < std::get<1>(b);
  });
  for (const auto& [failed, name, reason] : checks) {
    if (most-- == 0) break;
    std::printf("%s\n", truncate_to_width(
                            concat("  ", pad_left(std::to_string(failed), 4), "  ", name, "  ", reason), 80)
                            .c_str());
  }
  return 0;
}

}  // namespace moe
