#include "cli/exercises/class_grades.hpp"

#include "common/report/table.hpp"
#include "kernels/base/check.hpp"

namespace moe {

std::string class_table(const std::vector<Submission>& submissions,
                        const std::vector<grade::Exercise>& exercises) {
  std::vector<Column> columns = {{"submission", Align::left}};
  for (const grade::Exercise& e : exercises) columns.push_back({e.name});
  for (const char* name : {"total", "possible"}) columns.push_back({name});
  columns.push_back({"remark", Align::left});
  Table table(columns);
  for (const Submission& s : submissions) {
    std::vector<std::string> cells = {s.name};
    for (std::size_t i = 0; i < exercises.size(); ++i) {
      const bool graded = i < s.verdicts.size() && s.verdicts[i].state == grade::State::graded;
      cells.push_back(graded ? std::to_string(s.verdicts[i].earned()) : s.refused.empty() ? "" : "0");
    }
    grade::Total total = grade::total_of(s.verdicts);
    if (!s.refused.empty())
      for (const grade::Exercise& e : exercises) total.possible += e.points;
    cells.push_back(std::to_string(total.earned));
    cells.push_back(std::to_string(total.possible));
    cells.push_back(s.refused.empty() ? "" : "refused: " + s.refused);
    table.row(cells);
  }
  return table.csv();
}

std::string checks_table(const std::vector<Submission>& submissions) {
  Table table({{"submission"}, {"exercise"}, {"check"}, {"earned"}, {"possible"}, {"result"}, {"reason"}});
  for (const Submission& s : submissions) {
    if (!s.refused.empty()) table.row({s.name, "", "", "0", "", "refused", s.refused});
    for (const grade::Verdict& v : s.verdicts) {
      if (v.checks.empty())
        table.row({s.name, v.exercise.name, "", "0", std::to_string(v.possible()), grade::summary(v), ""});
      for (const grade::CheckVerdict& c : v.checks)
        table.row({s.name, v.exercise.name, c.name, std::to_string(c.earned), std::to_string(c.points),
                   c.passed  ? "passed"
                   : v.built ? "failed"
                             : "does not compile",
                   grade::reason_of(c)});
    }
  }
  return table.csv();
}

std::filesystem::path checks_file(const std::filesystem::path& grades) {
  std::filesystem::path file = grades;
  return file.replace_extension(".checks.csv");
}

std::vector<std::vector<std::string>> read_csv(const std::filesystem::path& file) {
  const std::string text = grade::read_text(file);
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row{""};
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"')
        row.back() += c;
      else if (i + 1 < text.size() && text[i + 1] == '"')
        row.back() += text[++i];
      else
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      row.emplace_back();
    } else if (c == '\n') {
      rows.push_back(std::exchange(row, {""}));
    } else if (c != '\r') {
      row.back() += c;
    }
  }
  if (quoted) throw UserError(ExitCode::bad_file, concat(file.string(), " ends inside quotes"), "");
  if (row != std::vector<std::string>{""}) rows.push_back(row);
  return rows;
}

}  // namespace moe
