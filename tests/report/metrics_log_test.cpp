#include "common/report/metrics_log.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "kernels/base/check.hpp"

namespace moe {
namespace {

struct LogFile {
  explicit LogFile(const std::string& text = "") { std::ofstream(path) << text; }
  ~LogFile() { std::filesystem::remove(path); }
  std::string text() const {
    std::ostringstream out;
    out << std::ifstream(path).rdbuf();
    return out.str();
  }
  std::string path = ::testing::TempDir() + "metrics." + std::to_string(getpid());
};

constexpr const char* kThreeSteps =
    "{\"run\":\"a\"}\n{\"step\":1,\"loss\":3.0}\n{\"step\":2,\"loss\":2.5}\n{\"step\":3,\"loss\":2.25}\n";

TEST(MetricsLog, KeysKeepTheirOrderAndNumbersTheirDigits) {
  const MetricRecord record{{"step", std::int64_t{120}},
                            {"loss", 0.1},
                            {"load", std::vector<double>{1, 2.5}},
                            {"name", std::string("a \"b\"")},
                            {"done", true}};
  EXPECT_EQ(to_json(record), R"({"step":120,"loss":0.1,"load":[1.0,2.5],"name":"a \"b\"","done":true})");
}

TEST(MetricsLog, ValuesReadBackAsWhatTheyWere) {
  const LogFile log("{\"yes\":true,\"no\":false,\"n\":7,\"x\":0.5,\"name\":\"a\"}\n");
  const MetricRecord r = read_metrics(log.path).at(0);
  EXPECT_EQ(std::get<bool>(*r.find("yes")), true);
  EXPECT_EQ(std::get<bool>(*r.find("no")), false);
  EXPECT_EQ(std::get<std::int64_t>(*r.find("n")), 7);
  EXPECT_EQ(std::get<double>(*r.find("x")), 0.5);
  EXPECT_EQ(std::get<std::string>(*r.find("name")), "a");
}

TEST(MetricsLog, WhatIsNotFiniteIsNullAndReadsAsNaN) {
  LogFile file;
  MetricsLog(file.path).write(
      {{"loss", std::numeric_limits<double>::quiet_NaN()}, {"x", std::vector<double>{HUGE_VAL}}});
  EXPECT_EQ(file.text(), "{\"loss\":null,\"x\":[null]}\n");
  const auto records = read_metrics(file.path);
  EXPECT_TRUE(std::isnan(records[0].number("loss")));
  EXPECT_TRUE(std::isnan(std::get<std::vector<double>>(*records[0].find("x"))[0]));
}

TEST(MetricsLog, WhatWasWrittenIsReadBack) {
  LogFile file;
  {
    MetricsLog log(file.path);
    for (std::int64_t step = 1; step <= 3; ++step)
      log.write({{"step", step}, {"loss", 1.0 / static_cast<double>(step)}});
    EXPECT_EQ(read_metrics(file.path).size(), 3u);  // each line is there at once
  }
  const auto records = read_metrics(file.path);
  EXPECT_EQ(std::get<std::int64_t>(*records[2].find("step")), 3);
  EXPECT_EQ(records[2].number("loss"), 1.0 / 3);
  EXPECT_TRUE(std::isnan(records[2].number("absent")));
}

TEST(MetricsLog, ANewRunStartsEmpty) {
  LogFile file(kThreeSteps);
  { MetricsLog log(file.path); }
  EXPECT_EQ(file.text(), "");
}

TEST(MetricsLog, ResumingCutsLaterSteps) {
  LogFile file(kThreeSteps);
  MetricsLog(file.path, 2).write({{"step", std::int64_t{3}}});
  EXPECT_EQ(file.text(),
            "{\"run\":\"a\"}\n{\"step\":1,\"loss\":3.0}\n{\"step\":2,\"loss\":2.5}\n{\"step\":3}\n");
}

TEST(MetricsLog, ResumingCutsAHalfWrittenLine) {
  LogFile file(std::string(kThreeSteps) + "{\"step\":4,\"lo");
  EXPECT_EQ(read_metrics(file.path).size(), 4u);
  MetricsLog(file.path, 9).write({{"step", std::int64_t{4}}});
  EXPECT_EQ(file.text(), std::string(kThreeSteps) + "{\"step\":4}\n");
}

TEST(MetricsLog, ResumingBeforeTheFirstStepKeepsTheHead) {
  LogFile file(kThreeSteps);
  { MetricsLog log(file.path, 0); }
  EXPECT_EQ(file.text(), "{\"run\":\"a\"}\n");
}

TEST(MetricsLog, BrokenLinesInTheMiddleAreNamed) {
  LogFile file("{\"step\":1}\nnonsense\n{\"step\":2}\n");
  try {
    MetricsLog log(file.path, 2);
    FAIL();
  } catch (const UserError& error) {
    EXPECT_EQ(std::string(error.what()).rfind(file.path + ":2: ", 0), 0u) << error.what();
  }
  EXPECT_THROW(read_metrics(file.path), UserError);
}

TEST(MetricsLog, UnwritableAndMissingFilesAreUserErrors) {
  EXPECT_THROW(MetricsLog("/no/such/folder/metrics.jsonl"), UserError);
  EXPECT_THROW(MetricsLog("/no/such/folder/metrics.jsonl", 3), UserError);
  EXPECT_THROW(read_metrics("/no/such/file"), UserError);
}

TEST(MetricsLog, CurvesSkipRecordsWithoutBothNumbers) {
  const std::vector<MetricRecord> records{{{"step", std::int64_t{1}}, {"loss", 3.0}},
                                          {{"step", std::int64_t{2}}},
                                          {{"loss", 2.0}},
                                          {{"step", std::int64_t{4}}, {"loss", 1.5}}};
  const auto [x, y] = curve_of(records, "step", "loss");
  EXPECT_EQ(x, (std::vector<double>{1, 4}));
  EXPECT_EQ(y, (std::vector<double>{3, 1.5}));
}

}  // namespace
}  // namespace moe
