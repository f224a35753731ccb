#include "cli/exercises/kept_answers.hpp"

#include <algorithm>
#include <set>
#include <sstream>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

namespace fs = std::filesystem;
using Kind = KeptAnswer::Kind;

std::string joined(const std::set<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text.empty() ? "none" : text;
}

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

}  // namespace

std::vector<KeptAnswer> kept_answers(const grade::Exercise& e) {
  std::vector<KeptAnswer> answers = {{&e, e.reference(), Kind::reference}, {&e, e.stub(), Kind::stub}};
  std::vector<fs::path> wrong;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(e.folder / "wrong", ignored)) wrong.push_back(entry.path());
  std::sort(wrong.begin(), wrong.end());
  for (const fs::path& file : wrong) answers.push_back({&e, file, Kind::wrong});
  return answers;
}

std::string complaint(const KeptAnswer& answer, const grade::Verdict& verdict) {
  if (!verdict.built) return "does not compile:\n" + verdict.compiler;
  std::set<std::string> failed, all, wanted;
  std::string broken;
  for (const grade::CheckVerdict& c : verdict.checks) {
    all.insert(c.name);
    if (!c.passed) failed.insert(c.name);
    if (c.broken) broken += concat("\n    ", c.name, " ", c.failure);
  }
  if (!broken.empty()) return "a check is at fault:" + broken;
  if (answer.kind == Kind::stub) wanted = all;
  if (answer.kind == Kind::wrong) wanted = named_checks(answer.file);
  if (answer.kind == Kind::wrong && wanted.empty()) return "its first line must be: // fails: CHECK...";
  if (answer.kind == Kind::reference && !verdict.compiler.empty()) return "warnings:\n" + verdict.compiler;
  if (answer.kind == Kind::reference && failed.empty() && !verdict.passed())
    return concat("earns ", verdict.earned(), " of ", verdict.possible(), " points");
  if (failed == wanted) return "";
  std::string text = concat("fails ", joined(failed), ", but should fail ", joined(wanted));
  for (const grade::CheckVerdict& c : verdict.checks)
    if (!c.passed && !wanted.contains(c.name)) text += concat("\n    ", c.name, " ", c.failure);
  return text;
}

}  // namespace moe
