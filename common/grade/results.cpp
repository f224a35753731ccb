#include "common/grade/results.hpp"

#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/app/format.hpp"
#include "common/app/interrupt.hpp"
#include "common/app/utf8.hpp"
#include "common/report/escape.hpp"
#include "common/report/table.hpp"
#include "kernels/base/check.hpp"

namespace moe::grade {
namespace {

using nlohmann::json;

// Nothing but the check's words: what the answer printed is not repeated to other programs.
std::string output_of(const CheckVerdict& c) {
  if (!c.passed)
    return printable_utf8(concat("The answer ", c.failure, c.failure.ends_with('\n') ? "" : "\n", c.meaning));
  std::string text = c.remark;
  for (const auto& [name, value] : c.notes) text += concat(text.empty() ? "" : "\n", name, ": ", value);
  return printable_utf8(text);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

// What is wrong, and what the checked device found, stands on the second line.
std::string reason_of(const CheckVerdict& c) {
  if (c.passed) return c.remark;
  const std::string head = first_line(c.failure);
  std::string next = c.failure.size() > head.size() ? first_line(c.failure.substr(head.size() + 1)) : "";
  next.erase(0, next.find_first_not_of(' '));
  if (head == "is wrong" && !next.empty()) return printable_utf8(next);
  return printable_utf8(head.ends_with(':') ? head + " " + next : head);
}

namespace {

// An answer of which no check ran.
std::string why_unchecked(const Verdict& v) {
  return printable_utf8(v.state == State::not_graded ? summary(v) : v.compiler);
}

}  // namespace

std::string to_gradescope(const std::vector<Verdict>& verdicts) {
  json tests = json::array();
  double seconds = 0;
  for (const Verdict& v : verdicts) {
    seconds += v.seconds;
    if (v.checks.empty()) {
      json test = {{"name", v.exercise.name}, {"output", summary(v)}};
      if (v.state == State::graded)
        test.update({{"score", 0}, {"max_score", v.possible()}, {"status", "failed"}});
      tests.push_back(test);
    }
    for (const CheckVerdict& c : v.checks)
      tests.push_back({{"name", v.exercise.name + ": " + c.name},
                       {"score", c.earned},
                       {"max_score", c.points},
                       {"status", c.passed ? "passed" : "failed"},
                       {"output", v.built ? output_of(c) : printable_utf8(v.compiler)},
                       {"tags", {v.exercise.session}}});
  }
  const Total total = total_of(verdicts);
  const json all = {
      {"score", total.earned},
      {"execution_time", seconds},
      {"output", concat(total.earned, " of ", total.possible, " points; ", total.not_graded, " not graded")},
      {"tests", tests}};
  return all.dump(2) + "\n";
}

std::string to_junit(const std::vector<Verdict>& verdicts) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const Verdict& v : verdicts) {
    const std::string name = html_escape(v.exercise.name);
    text += concat("  <testsuite name=\"", name, "\" tests=\"", std::max<std::size_t>(v.checks.size(), 1),
                   "\" time=\"", format_fixed(v.seconds, 3), "\">\n");
    if (v.checks.empty()) {
      const char* element = v.state == State::not_graded ? "skipped" : "failure";
      text += concat("    <testcase name=\"", name, "\"><", element, " message=\"",
                     html_escape(why_unchecked(v)), "\"/></testcase>\n");
    }
    for (const CheckVerdict& c : v.checks) {
      text += concat("    <testcase classname=\"", name, "\" name=\"", html_escape(c.name), "\" time=\"",
                     format_fixed(c.seconds, 3), "\"");
      text += c.passed ? "/>\n"
                       : concat("><failure message=\"", html_escape(reason_of(c)), "\">",
                                html_escape(v.built ? output_of(c) : v.compiler), "</failure></testcase>\n");
    }
    text += "  </testsuite>\n";
  }
  return text + "</testsuites>\n";
}

std::string to_csv(const std::vector<Verdict>& verdicts) {
  Table table({{"exercise", Align::left},
               {"check", Align::left},
               {"earned"},
               {"possible"},
               {"result", Align::left},
               {"reason", Align::left}});
  for (const Verdict& v : verdicts) {
    if (v.checks.empty())
      table.row({v.exercise.name, "", "0", std::to_string(v.state == State::graded ? v.possible() : 0),
                 summary(v), ""});
    for (const CheckVerdict& c : v.checks)
      table.row({v.exercise.name, c.name, std::to_string(c.earned), std::to_string(c.points),
                 c.passed ? "passed" : "failed", reason_of(c)});
  }
  return table.csv();
}

Total total_of(const std::vector<Verdict>& verdicts) {
  Total total;
  for (const Verdict& v : verdicts) {
    if (v.state == State::not_graded) {
      ++total.not_graded;
      continue;
    }
    total.earned += v.earned();
    total.possible += v.possible();
    ++(v.passed() ? total.passed : total.failed);
  }
  return total;
}

std::vector<Verdict> grade_many(const std::vector<Task>& tasks, const GradeOptions& options, int jobs,
                                const std::function<void(std::size_t, const Verdict&)>& done) {
  std::vector<Verdict> verdicts(tasks.size());
  std::atomic<std::size_t> next{0};
  std::mutex one_at_a_time;
  const auto work = [&] {
    for (std::size_t i; !interrupted() && (i = next++) < tasks.size();) {
      Verdict& v = verdicts[i];
      try {
        v = grade_answer(*tasks[i].exercise, tasks[i].answer, options);
      } catch (const std::exception& error) {
        const bool absent = !std::filesystem::exists(tasks[i].answer);
        v = {.exercise = *tasks[i].exercise,
             .reason = absent ? "no answer" : first_line(error.what()),
             .built = false,
             .compiler = error.what(),
             .seed = options.seed};
      }
      const std::lock_guard lock(one_at_a_time);
      if (done) done(i, v);
    }
  };
  std::vector<std::jthread> threads;
  for (int j = 0; j < std::min<int>(jobs, static_cast<int>(tasks.size())); ++j) threads.emplace_back(work);
  threads.clear();
  return verdicts;
}

}  // namespace moe::grade
