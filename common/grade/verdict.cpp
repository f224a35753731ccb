#include "common/grade/verdict.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "common/grade/build_answer.hpp"
#include "common/report/subprocess.hpp"
#include "kernels/base/check.hpp"

namespace moe::grade {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A file without a name, which only this process and the grader it starts can reach.
class Report {
 public:
  Report() {
    const int fd = memfd_create("report", MFD_CLOEXEC);
    fd_ = fcntl(fd, F_DUPFD, 10);  // beyond those that the grader's own input and output take
    close(fd);
    MOE_CHECK(fd_ >= 0, "no memory for the report");
  }
  ~Report() { close(fd_); }
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;
  std::string path() const { return concat("/proc/self/fd/", fd_); }
  std::string text() const {
    std::string all;
    char buffer[65536];
    for (ssize_t n, at = 0; (n = pread(fd_, buffer, sizeof buffer, at)) > 0; at += n)
      all.append(buffer, static_cast<std::size_t>(n));
    return all;
  }

 private:
  int fd_ = -1;
};

fs::path grader_program() {
  const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "grader";
  if (!fs::exists(program))
    throw UserError(
        ExitCode::missing, concat("the grader is not built: no ", program.string()),
        "`./moe grade` builds it; without the launcher: cmake --build build/cpu --target exercises");
  return program;
}

// GoogleTest writes every byte from 0x80 on as a \u00XX of its own: code points up to 0xFF are bytes of UTF-8 text.
std::string bytes_of(const std::string& escaped) {
  std::string bytes;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    const auto lead = static_cast<unsigned char>(escaped[i]);
    const bool is_byte = (lead == 0xC2 || lead == 0xC3) && i + 1 < escaped.size();
    bytes += is_byte ? static_cast<char>((lead & 3) << 6 | (escaped[i + 1] & 0x3F)) : escaped[i];
    i += is_byte;
  }
  return bytes;
}

std::string text_of(const json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? bytes_of(at->get<std::string>()) : "";
}

CheckVerdict parse_check(const json& test) {
  CheckVerdict c{.name = text_of(test, "name"),
                 .points = std::stoi("0" + text_of(test, "points")),
                 .broken = !text_of(test, "broken").empty(),
                 .failure = text_of(test, "failure"),
                 .meaning = text_of(test, "meaning"),
                 .remark = text_of(test, "remark"),
                 .printed = text_of(test, "printed"),
                 .notes = parse_notes(text_of(test, "notes")),
                 .seconds = std::stod("0" + text_of(test, "time"))};
  c.passed = text_of(test, "result") == "COMPLETED" && !test.contains("failures");
  if (c.passed) c.earned = test.contains("earned") ? std::stoi("0" + text_of(test, "earned")) : c.points;
  if (!c.passed && c.failure.empty()) c.failure = "the check did not end";
  return c;
}

// What the grader says of a UserError, without the word that stands before it: it will stand before ours.
std::string words_of_error(std::string text) {
  if (text.starts_with("error: ")) text.erase(0, 7);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

int Verdict::earned() const {
  return std::accumulate(checks.begin(), checks.end(), 0,
                         [](int sum, const CheckVerdict& c) { return sum + c.earned; });
}

std::string summary(const Verdict& v) {
  if (v.state == State::not_graded) return concat("not graded (", v.reason, ")");
  if (!v.reason.empty()) return v.reason;
  if (!v.built) return "does not compile";
  return v.passed() ? "passed" : "not passed yet";
}

int Verdict::possible() const {
  if (checks.empty()) return exercise.points;
  return std::accumulate(checks.begin(), checks.end(), 0,
                         [](int sum, const CheckVerdict& c) { return sum + c.points; });
}

const CheckVerdict* Verdict::first_failure() const {
  const auto at = std::find_if(checks.begin(), checks.end(), [](const CheckVerdict& c) { return !c.passed; });
  return at == checks.end() ? nullptr : &*at;
}

Verdict parse_report(const Exercise& exercise, const std::string& text) {
  const json report = json::parse(text, nullptr, false);
  MOE_CHECK(report.is_object() && report.contains("testsuites"), "the grader left no report");
  Verdict verdict{.exercise = exercise};
  verdict.built = text_of(report, "built") != "no";
  verdict.compiler = text_of(report, "compiler");
  for (const json& suite : report["testsuites"])
    for (const json& test : suite["testsuite"]) verdict.checks.push_back(parse_check(test));
  MOE_CHECK(!verdict.checks.empty(), "no check of ", exercise.name, " ran");
  return verdict;
}

Verdict grade_answer(const Exercise& exercise, const fs::path& answer, const GradeOptions& options) {
  if (!is_gradable(exercise))
    return {.exercise = exercise, .state = State::not_graded, .reason = "no device", .seed = options.seed};
  const Report report;
  std::vector<std::string> words = {grader_program().string(),
                                    exercise.id,
                                    "--answer",
                                    fs::absolute(answer).string(),
                                    "--report",
                                    report.path(),
                                    "--seed",
                                    std::to_string(options.seed)};
  if (!options.check.empty()) words.insert(words.end(), {"--check", options.check});
  if (options.seconds > 0) words.insert(words.end(), {"--seconds", std::to_string(options.seconds)});
  if (options.bare) words.push_back("--bare");
  if (options.stop_when_late) words.push_back("--stop-when-late");
  const auto begin = std::chrono::steady_clock::now();
  const ProgramResult result = run_program(words, "", 600);
  for (const ExitCode code : {ExitCode::usage, ExitCode::missing, ExitCode::bad_file})
    if (result.status == static_cast<int>(code)) throw UserError(code, words_of_error(result.errors), "");
  MOE_CHECK(result.found && result.status == 0, "the grader ended with ", result.status, " on ",
            answer.string(), ": ", result.errors);
  Verdict verdict = parse_report(exercise, report.text());
  verdict.seed = options.seed;
  verdict.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return verdict;
}

std::uint64_t fresh_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 16 ^ device()) & 0xffffffff;  // short enough to type
}

}  // namespace moe::grade
