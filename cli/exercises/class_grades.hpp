// A class's grades, as `moe teach grade` writes them and `moe teach report` reads them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/grade/results.hpp"

namespace moe {

struct Submission {
  std::string name;                        // "ada.zip"
  std::string refused{};                   // why; "": it was graded
  std::vector<grade::Verdict> verdicts{};  // in the order of the exercises
};

// A row a submission: name, points of every exercise, total, possible, remark.
std::string class_table(const std::vector<Submission>& submissions,
                        const std::vector<grade::Exercise>& exercises);

// A row a check: submission, exercise, check, earned, possible, result, reason. grades.csv -> grades.checks.csv
std::string checks_table(const std::vector<Submission>& submissions);
std::filesystem::path checks_file(const std::filesystem::path& grades);

// RFC 4180. Throws UserError (bad_file).
std::vector<std::vector<std::string>> read_csv(const std::filesystem::path& file);

}  // namespace moe
