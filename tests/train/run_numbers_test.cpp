// The numbers in metrics.jsonl are those of the steps: against a second trainer that makes the same ones.
#include <gtest/gtest.h>

#include <cmath>

#include "common/report/metrics_log.hpp"
#include "common/train/run.hpp"
#include "tests/train/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;

constexpr std::int64_t kSteps = 7;

struct Job {
  Context ctx{2};
  Corpus corpus = small_corpus();
  HeldOut held_out{corpus, 4, kContext, 4 * kContext};
  Trainer trainer;
  explicit Job(const LanguageModelConfig& config) : trainer(ctx, config, small_settings(kSteps), corpus) {}
  RunResult run(const TemporaryDirectory& directory, std::int64_t log_every, std::int64_t evaluations = 1) {
    const RunOptions options{
        .directory = directory.path(), .quiet = true, .log_every = log_every, .evaluations = evaluations};
    return train_run(trainer, held_out, options);
  }
};

// The lines of steps.
std::vector<MetricRecord> steps_of(const TemporaryDirectory& run) {
  std::vector<MetricRecord> steps;
  for (const MetricRecord& r : read_metrics((run / "metrics.jsonl").string()))
    if (r.find("loss")) steps.push_back(r);
  return steps;
}

// Capacities small enough that something is dropped, so that no two columns are alike.
LanguageModelConfig lossy() {
  LanguageModelConfig config = small_config(4);
  config.moe.router = "switch", config.moe.capacity_factor = 0.5;
  return config;
}

TEST(RunNumbers, AreWhatTheStepsReport) {
  TemporaryDirectory run;
  Job job(lossy()), same(lossy());
  job.run(run, 1);
  const auto records = steps_of(run);
  ASSERT_EQ(records.size(), static_cast<std::size_t>(kSteps));
  for (const MetricRecord& r : records) {
    const StepReport report = *same.trainer.step(true);
    const LoadMetrics load = summarise(report.load);
    ASSERT_TRUE(load.entropy);
    EXPECT_GT(load.dropped, 0);
    EXPECT_EQ(r.number("step"), report.step);
    EXPECT_EQ(r.number("loss"), report.loss);
    EXPECT_EQ(r.number("aux"), report.extra.at("aux"));
    EXPECT_EQ(r.number("z"), report.extra.at("z"));
    EXPECT_EQ(r.number("lr"), report.learning_rate);
    EXPECT_EQ(r.number("gnorm"), report.gradient_norm);
    EXPECT_EQ(r.number("dropped"), load.dropped);
    EXPECT_EQ(r.number("load_cv"), load.cv);
    EXPECT_EQ(r.number("max_violation"), load.max_violation);
    EXPECT_EQ(r.number("entropy"), *load.entropy);
    for (const auto& [layer, m] : report.load)
      EXPECT_EQ(std::get<std::vector<double>>(*r.find(concat("load_", layer))),
                std::vector<double>(m.load.begin(), m.load.end()));
  }
}

// A router that always takes expert 0 leaves three dead ones in each of two layers.
TEST(RunNumbers, DeadExpertsAreCounted) {
  TemporaryDirectory run;
  LanguageModelConfig config = small_config(4);
  config.moe.top_k = 1;
  Job job(config);
  job.trainer.model().visit([&](const std::string& name, Parameter& p) {
    if (name.ends_with("gate.weight")) p.value = Tensor::zeros(job.ctx, DType::f32, p.value.shape());
  });
  job.run(run, kSteps);
  EXPECT_EQ(steps_of(run).front().number("dead"), 6);
}

TEST(RunNumbers, WhatADenseModelLacksIsNoNumber) {
  TemporaryDirectory run;
  Job job(small_config(0));
  job.run(run, kSteps);
  EXPECT_TRUE(std::isnan(steps_of(run).back().number("entropy")));
  EXPECT_EQ(steps_of(run).back().number("aux"), 0);
}

// Tokens since the line before, over the seconds of their steps: together they are all of the run's.
TEST(RunNumbers, RatesAreThoseOfTheStepsSinceTheLineBefore) {
  TemporaryDirectory run;
  Job job(small_config(4));
  const RunResult result = job.run(run, 3);
  EXPECT_GT(result.seconds, 0);
  double before = 0, seconds = 0;
  for (const MetricRecord& r : steps_of(run)) {  // of steps 1, 3, 6 and 7
    seconds += (r.number("step") - before) * 3 * kContext / r.number("tokens_per_second");
    before = r.number("step");
    EXPECT_NEAR(seconds, r.number("seconds"), 1e-9 * seconds) << "step " << before;
  }
  EXPECT_EQ(before, kSteps);
}

TEST(RunNumbers, TheLastStepIsAlwaysEvaluated) {
  TemporaryDirectory run;
  Job job(small_config(4));
  const RunResult result = job.run(run, kSteps, 0);
  const auto records = read_metrics((run / "metrics.jsonl").string());
  EXPECT_EQ(records.back().number("held_out"), result.evaluation.bits_per_byte);
  EXPECT_EQ(records.back().number("step"), kSteps);
}

}  // namespace
}  // namespace moe
