// A whole run in a directory: what is logged when, and that an interruption leaves no trace in it.
#include "common/train/run.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>

#include "common/app/interrupt.hpp"
#include "common/io/checkpoint_directory.hpp"
#include "common/report/metrics_log.hpp"
#include "tests/train/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;
using Steps = std::vector<std::int64_t>;

constexpr std::int64_t kSteps = 34;

struct Job {
  Context ctx{2};
  Corpus corpus = small_corpus();
  HeldOut held_out{corpus, 4, kContext, 4 * kContext};
  Trainer trainer;
  explicit Job(std::int64_t experts = 4, std::int64_t steps = kSteps)
      : trainer(ctx, small_config(experts), small_settings(steps), corpus) {}
  RunResult run(RunOptions options) { return train_run(trainer, held_out, options); }
};

RunOptions options_for(const TemporaryDirectory& run, bool resume = false) {
  return {.directory = run.path(),
          .resume = resume,
          .quiet = true,
          .log_every = 5,
          .evaluations = 3,
          .checkpoint_every = 7};
}

std::vector<MetricRecord> metrics_of(const TemporaryDirectory& run) {
  return read_metrics((run / "metrics.jsonl").string());
}

Steps steps_with(const TemporaryDirectory& run, const char* key) {
  Steps steps;
  for (const MetricRecord& r : metrics_of(run))
    if (r.find(key)) steps.push_back(static_cast<std::int64_t>(r.number("step")));
  return steps;
}

// Everything but times, which no two runs share.
std::vector<std::string> timeless(const TemporaryDirectory& run) {
  std::vector<std::string> lines;
  for (MetricRecord r : metrics_of(run))
    lines.push_back(to_json(r.set("seconds", 0.0).set("tokens_per_second", 0.0)));
  return lines;
}

std::vector<std::string> keys_of(const MetricRecord& record) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : record.fields()) keys.push_back(key);
  return keys;
}

TEST(Run, LogsTheDocumentedKeysAtTheDocumentedSteps) {
  TemporaryDirectory run;
  Job job;
  const RunResult result = job.run(options_for(run));
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(steps_with(run, "loss"), (Steps{1, 5, 10, 15, 20, 25, 30, 34}));
  EXPECT_EQ(steps_with(run, "held_out"), (Steps{12, 23, 34})) << "thirds of 34, the last after the last step";
  const std::vector<std::string> step_keys = {"step",
                                              "seconds",
                                              "loss",
                                              "aux",
                                              "z",
                                              "lr",
                                              "gnorm",
                                              "dropped",
                                              "load_cv",
                                              "max_violation",
                                              "entropy",
                                              "dead",
                                              "tokens_per_second",
                                              "load_0",
                                              "load_1"};
  const std::vector<std::string> evaluation_keys = {"step", "seconds", "held_out", "held_out_domains"};
  double seconds = 0;
  for (const MetricRecord& r : metrics_of(run)) {
    EXPECT_EQ(keys_of(r), r.find("loss") ? step_keys : evaluation_keys);
    EXPECT_GE(r.number("seconds"), seconds);
    seconds = r.number("seconds");
  }
  EXPECT_EQ(metrics_of(run).back().number("held_out"), result.evaluation.bits_per_byte);
  EXPECT_EQ(seconds, result.seconds);
}

TEST(Run, ADenseModelHasNoLoadToLog) {
  TemporaryDirectory run;
  Job(0, 3).run(options_for(run));
  EXPECT_EQ(metrics_of(run)[0].find("load_0"), nullptr);
}

TEST(Run, KeepsTheNewestCheckpointsAndEndsWithOne) {
  TemporaryDirectory run;
  Job job;
  job.run(options_for(run));
  const auto checkpoints = list_checkpoints(run.path());
  ASSERT_FALSE(checkpoints.empty());
  EXPECT_EQ(checkpoints.back().filename(), "checkpoint-00000034");
  EXPECT_EQ(checkpoints[checkpoints.size() - 2].filename(), "checkpoint-00000028");
}

// What a killed process leaves: checkpoints up to `steps`, lines up to some later step, the last of them cut.
void leave_as_killed(const TemporaryDirectory& run, std::int64_t steps) {
  Job job;
  job.run(options_for(run));
  for (const auto& checkpoint : list_checkpoints(run.path()))
    if (std::stoll(checkpoint.filename().string().substr(11)) > steps)
      std::filesystem::remove_all(checkpoint);
  std::ofstream(run / "metrics.jsonl", std::ios::app) << "{\"step\":35,\"lo";
}

TEST(Run, AfterAKillTheMetricsHaveEachStepOnceAndTheSameNumbers) {
  TemporaryDirectory whole, killed;
  Job uninterrupted;
  uninterrupted.run(options_for(whole));
  leave_as_killed(killed, 28);
  Job resumed;
  const RunResult result = resumed.run(options_for(killed, true));
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(timeless(killed), timeless(whole));
  EXPECT_TRUE(
      same_bytes(parameters_of(resumed.trainer.model()), parameters_of(uninterrupted.trainer.model())));
}

// Raises SIGINT in the middle of a step: while its batch is being made, which asks the tokenizer for the size of each target.
class InterruptAt {
 public:
  InterruptAt(Job& job, std::int64_t step) : job_(job), step_(step) {
    job_.corpus.tokenizer = std::make_shared<Watcher>(*this);
  }

 private:
  struct Watcher final : Tokenizer {
    explicit Watcher(InterruptAt& o) : owner(o) {}
    std::string name() const override { return "byte"; }
    std::int64_t vocabulary() const override { return 256; }
    std::vector<Token> encode(std::string_view text) const override { return ByteTokenizer().encode(text); }
    std::string decode(std::span<const Token> tokens) const override {
      return ByteTokenizer().decode(tokens);
    }
    std::int64_t byte_count(Token) const override {
      if (owner.job_.trainer.steps_done() == owner.step_ && !owner.raised_) {
        owner.raised_ = true;
        ::raise(SIGINT);
      }
      return 1;
    }
    InterruptAt& owner;
  };
  Job& job_;
  std::int64_t step_;
  bool raised_ = false;
};

TEST(Run, ControlCSavesACheckpointAndResumingLeavesNoTrace) {
  TemporaryDirectory whole, stopped;
  Job uninterrupted;
  uninterrupted.run(options_for(whole));
  for (const std::int64_t step : {0, 11, 16, 32}) {
    Job job;
    {
      const InterruptGuard guard("");
      InterruptAt signal(job, step);
      const RunResult result = job.run(options_for(stopped, step > 0));
      EXPECT_FALSE(result.finished);
      EXPECT_EQ(job.trainer.steps_done(), step + 1) << "the step in progress ends";
      EXPECT_EQ(open_checkpoint(stopped.path()).manifest.step, step + 1);
    }
  }
  Job last;
  EXPECT_TRUE(last.run(options_for(stopped, true)).finished);
  EXPECT_EQ(timeless(stopped), timeless(whole));
  EXPECT_TRUE(same_bytes(parameters_of(last.trainer.model()), parameters_of(uninterrupted.trainer.model())));
}

TEST(Run, AnInterruptInTheLastStepStillFinishes) {
  TemporaryDirectory run;
  Job job;
  const InterruptGuard guard("");
  InterruptAt signal(job, kSteps - 1);
  EXPECT_TRUE(job.run(options_for(run)).finished);
}

TEST(Run, ResumingAFinishedRunEvaluatesAndWritesNothing) {
  TemporaryDirectory run;
  Job first;
  const RunResult before = first.run(options_for(run));
  const std::string log = contents(run / "metrics.jsonl");
  Job second;
  const RunResult after = second.run(options_for(run, true));
  EXPECT_TRUE(after.finished);
  EXPECT_EQ(after.evaluation.domain_bits, before.evaluation.domain_bits);
  EXPECT_EQ(after.seconds, before.seconds);
  EXPECT_EQ(contents(run / "metrics.jsonl"), log);
}

TEST(Run, StartingAnewForgetsTheCheckpointsOfTheRunBefore) {
  TemporaryDirectory run;
  Job(4).run(options_for(run));
  {
    Job job;
    const InterruptGuard guard("");
    InterruptAt signal(job, 2);
    job.run(options_for(run));  // not resumed
  }
  EXPECT_EQ(list_checkpoints(run.path()).size(), 1u);
  EXPECT_EQ(open_checkpoint(run.path()).manifest.step, 3);
  EXPECT_EQ(steps_with(run, "loss"), Steps{1});
}

TEST(Run, ResumingWithoutACheckpointStartsAtTheBeginning) {
  TemporaryDirectory run;
  Job job;
  EXPECT_TRUE(job.run(options_for(run, true)).finished);
  EXPECT_EQ(steps_with(run, "loss").front(), 1);
}

TEST(Run, ADivergingRunEndsWithAMessageAndSavesNoPoison) {
  TemporaryDirectory run;
  Job job;
  job.trainer.model().visit([&](const std::string& name, Parameter& p) {
    if (name == "model.norm.weight") p.value.data<float>()[0] = NAN;
  });
  EXPECT_TRUE(says(complaint([&] { job.run(options_for(run)); }), "1: ", "training diverged: at step 1 "));
  EXPECT_TRUE(list_checkpoints(run.path()).empty());
}

TEST(Run, ADirectoryThatCannotBeIsTheUsersError) {
  TemporaryDirectory run;
  std::ofstream(run / "file") << "in the way";
  Job job;
  RunOptions options = options_for(run);
  options.directory = run / "file/run";
  EXPECT_TRUE(says(complaint([&] { job.run(options); }), "4: ", (run / "file/run").string()));
  options.directory = run / "file";
  EXPECT_TRUE(says(complaint([&] { job.run(options); }), "4: ", (run / "file").string()));
}

}  // namespace
}  // namespace moe
