// From the grader's report to verdicts and files, and what an exercise's folder says.
#include "common/grade/results.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "common/grade/show.hpp"
#include "kernels/base/check.hpp"
#include "tests/support/temporary_directory.hpp"

namespace moe::grade {
namespace {

Exercise exercise() {
  return {.id = "01_x/01_gate", .name = "gate", .session = "01", .title = "A gate", .points = 5};
}

constexpr const char* kReport = R"({"built": "yes", "testsuites": [{"name": "gate", "testsuite": [
  {"name": "Hand", "result": "COMPLETED", "time": "0.25s", "points": "2", "meaning": "m"},
  {"name": "Ties", "result": "COMPLETED", "time": "0.5s", "points": "2", "meaning": "Use >.",
   "failure": "is wrong\n  expert[0] is 3\n  expected  1\n", "printed": "debug <&>\n", "failures": [{"failure": "x"}]},
  {"name": "Race", "result": "COMPLETED", "time": "0s", "points": "1", "meaning": "m",
   "failure": "is stopped by the checked device:\nanswer.cu:7: data race", "failures": [{"failure": "x"}]},
  {"name": "Curve", "result": "COMPLETED", "time": "0s", "points": "4", "earned": "3", "remark": "0.1 better", "meaning": "m",
   "notes": "bank conflicts\t12\n"}
]}]})";

TEST(Report, GivesPointsAndReasons) {
  const Verdict v = parse_report(exercise(), kReport);
  ASSERT_EQ(v.checks.size(), 4u);
  EXPECT_EQ(v.earned(), 5);
  EXPECT_EQ(v.possible(), 9);
  EXPECT_FALSE(v.passed());
  EXPECT_EQ(v.first_failure()->name, "Ties");
  EXPECT_EQ(reason_of(v.checks[1]), "expert[0] is 3");
  EXPECT_EQ(reason_of(v.checks[2]), "is stopped by the checked device: answer.cu:7: data race");
  ASSERT_EQ(v.checks[3].notes.size(), 1u);
  EXPECT_EQ(v.checks[3].notes[0].second, "12");
}

TEST(Report, WithoutATestOrBrokenIsAnError) {
  for (const char* text : {"", "{}", "[]", "{\"testsuites\": [", "{\"testsuites\": []}",
                           "{\"testsuites\": [{\"name\": \"gate\", \"testsuite\": []}]}"})
    EXPECT_THROW(parse_report(exercise(), text), Error) << text;
}

// A test that GoogleTest skipped, or that did not run, is not passed.
TEST(Report, WhatDidNotRunIsNotPassed) {
  const Verdict v = parse_report(exercise(), R"({"testsuites": [{"testsuite": [
    {"name": "A", "result": "SKIPPED", "points": "2"}, {"name": "B", "result": "SUPPRESSED", "points": "2"}]}]})");
  EXPECT_EQ(v.earned(), 0);
}

// As GoogleTest escapes it: byte by byte.
TEST(Report, TextMayHoldMoreThanAscii) {
  const Verdict v = parse_report(exercise(), R"({"testsuites": [{"testsuite": [
    {"name": "A", "result": "COMPLETED", "points": "2", "meaning": "N\u00C2\u00B7K \u00E2\u0089\u00A4 \u00C3\u00BC"}]}]})");
  EXPECT_EQ(v.checks[0].meaning, "N·K ≤ ü");
}

std::vector<Verdict> a_class() {
  Verdict broken{.exercise = exercise(), .built = false, .compiler = "answer.cpp:1: error: <x> & \"y\""};
  broken.checks = {{.name = "Hand", .points = 5, .failure = "does not compile"}};
  return {parse_report(exercise(), kReport),
          broken,
          {.exercise = exercise(), .state = State::not_graded, .reason = "no device"},
          {.exercise = exercise(), .reason = "no answer", .built = false}};
}

TEST(Results, WhatIsNotGradedCountsNowhere) {
  const Total total = total_of(a_class());
  EXPECT_EQ(total.earned, 5);
  EXPECT_EQ(total.possible, 9 + 5 + 5);
  EXPECT_EQ(total.passed, 0);
  EXPECT_EQ(total.failed, 3);
  EXPECT_EQ(total.not_graded, 1);
}

TEST(Results, GradescopesJsonAddsUp) {
  const nlohmann::json all = nlohmann::json::parse(to_gradescope(a_class()));
  double sum = 0, most = 0;
  for (const auto& test : all["tests"]) {
    sum += test.value("score", 0.0), most += test.value("max_score", 0.0);
    if (test["output"].get<std::string>().starts_with("not graded")) {
      EXPECT_FALSE(test.contains("score") || test.contains("status")) << test;
    }
  }
  EXPECT_EQ(sum, all["score"].get<double>());
  EXPECT_EQ(most, 19);
  EXPECT_EQ(all["tests"][1]["status"], "failed");
  EXPECT_EQ(all["tests"][0]["status"], "passed");
}

// What an answer prints could pose as a result: it is shown to the learner alone.
TEST(Results, FilesDoNotRepeatWhatAnAnswerPrinted) {
  for (const std::string& text : {to_gradescope(a_class()), to_junit(a_class()), to_csv(a_class())})
    EXPECT_EQ(text.find("debug"), std::string::npos);
  EXPECT_NE(show(a_class()[0], {}).find("debug <&>"), std::string::npos);
}

// A check that gives parts of its points: what was earned, and why it is not more.
TEST(Show, PartsOfPointsComeWithTheirRemark) {
  const std::string text = show(parse_report(exercise(), kReport), {});
  EXPECT_NE(text.find("part  Curve  3/4"), std::string::npos) << text;
  EXPECT_NE(text.find("Curve:\n  0.1 better\n"), std::string::npos) << text;
}

TEST(Results, JunitIsEscapedAndSkipsWhatIsNotGraded) {
  const std::string text = to_junit(a_class());
  EXPECT_NE(text.find("&lt;x&gt; &amp; &quot;y&quot;"), std::string::npos) << text;
  EXPECT_NE(text.find("<skipped message=\"not graded (no device)\"/>"), std::string::npos);
}

TEST(Results, CsvHasARowACheck) {
  const std::string text = to_csv(a_class());
  EXPECT_NE(text.find("gate,Ties,0,2,failed,expert[0] is 3\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("gate,Curve,3,4,passed,0.1 better\r\n"), std::string::npos) << text;
  EXPECT_NE(text.find("gate,,0,5,no answer,\r\n"), std::string::npos) << text;
}

TEST(Show, NamesTheLearnersFileAndStaysInEightyColumns) {
  Verdict v = parse_report(exercise(), kReport);
  v.exercise.device = true;
  const std::string text = show(v, {.every_failure = true, .file = "gate.cu"});
  EXPECT_NE(text.find("gate.cu:7: data race"), std::string::npos) << text;
  v.built = false, v.compiler = "answer.cu:3:1: error: no";
  EXPECT_NE(show(v, {.file = "gate.cu"}).find("gate.cu:3:1: error: no"), std::string::npos);
}

// The first failure is the plainest case; what the others mean may name the mistake. Not where hardly anything is right yet.
TEST(Show, TellsWhatOtherFailuresMean) {
  Verdict v{.exercise = exercise()};
  v.checks = {{.name = "Hand", .points = 1, .failure = "is wrong\n  x is 1", .meaning = "On paper."},
              {.name = "Ties", .points = 1, .failure = "is wrong\n  x is 2", .meaning = "The lower one."}};
  EXPECT_EQ(show(v, {}).find("The lower one."), std::string::npos);
  v.checks.push_back({.name = "Size", .points = 1, .earned = 1, .passed = true});
  const std::string text = show(v, {});
  EXPECT_NE(text.find("Other failures usually mean:\n  Ties: The lower one.\n"), std::string::npos) << text;
}

// What gcc says of a function's place repeats the contract's declaration.
TEST(Show, LeavesOutTheCompilersDeclarations) {
  Verdict v{.exercise = exercise(), .built = false};
  v.compiler = "answer.cpp: In function 'void f(float*)':\nanswer.cpp:3:1: error: no";
  const std::string text = show(v, {.file = "gate.cpp"});
  EXPECT_EQ(text.find("In function"), std::string::npos) << text;
  EXPECT_NE(text.find("\n\ngate.cpp:3:1: error: no\n"), std::string::npos) << text;
}

// The first line of a failure may be an exception's words, which could clear the screen and print a verdict of their own.
TEST(Show, AFailureHasNoControlCharacters) {
  Verdict v{.exercise = exercise()};
  v.checks = {
      {.name = "One", .points = 1, .failure = "throws an exception: \033[2J\rpassed\n  \033[32mcase"}};
  EXPECT_EQ(show(v, {.colour = ColourMode::none}).find_first_of("\033\r"), std::string::npos);
}

TEST(Exercise, ReadsTheReadmesExample) {
  const testing::TemporaryDirectory directory;
  testing::put(directory / "README.md",
               "x = 9\n```cpp\ny = 1\n```\n```example\na = 1 -2.5\n  3e2\nb=7\n```\nb = 8\n");
  const auto arrays = read_example(directory / "README.md");
  EXPECT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays.at("a"), (std::vector<double>{1, -2.5, 300}));
  EXPECT_EQ(arrays.at("b"), (std::vector<double>{7}));
}

TEST(Exercise, IsFoundByNameBeginningAndSession) {
  const std::vector<Exercise> all = {{.id = "01_a/01_gate", .name = "gate", .session = "01"},
                                     {.id = "01_a/02_gate_loss", .name = "gate_loss", .session = "01"},
                                     {.id = "02_b/01_plan", .name = "plan", .session = "02"}};
  EXPECT_EQ(find_exercise(all, "gate").name, "gate");
  EXPECT_EQ(find_exercise(all, "gate_").name, "gate_loss");
  EXPECT_EQ(find_exercise(all, "pl").name, "plan");
  EXPECT_THROW(find_exercise(all, "g"), UserError);
  EXPECT_THROW(find_exercise(all, ""), UserError);
  EXPECT_EQ(choose_exercises(all, {"s1"}).size(), 2u);
  EXPECT_EQ(choose_exercises(all, {"s2", "gate"}).size(), 2u);
  EXPECT_EQ(choose_exercises(all, {}).size(), 3u);
  EXPECT_THROW(choose_exercises(all, {"s3"}), UserError);
}

TEST(GradeMany, GoesOnWhereAnAnswerIsMissing) {
  const std::vector<Exercise> all = find_exercises();
  const Exercise& e = find_exercise(all, "top_k_gate");
  const std::vector<Verdict> verdicts = grade_many({{&e, "/nowhere/answer.cpp"}, {&e, e.reference()}}, {}, 2);
  EXPECT_EQ(summary(verdicts[0]), "no answer");
  EXPECT_EQ(verdicts[0].possible(), 10);
  EXPECT_TRUE(verdicts[1].passed());
}

}  // namespace
}  // namespace moe::grade
