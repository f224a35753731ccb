// The trainer: it learns, it is a function of its settings alone, and it notices when it no longer learns.
#include "common/train/trainer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "common/train/batch_tensors.hpp"
#include "tests/train/support.hpp"

namespace moe {
namespace {

using namespace moe::testing;

enum class Reports { never, always, some };

std::vector<float> trained(std::int64_t experts, std::int64_t steps, int threads,
                           Reports reports = Reports::never, std::uint64_t seed = 5) {
  Context ctx(threads);
  const Corpus corpus = small_corpus();
  TrainSettings settings = small_settings(steps);
  settings.seed = seed;
  Trainer trainer(ctx, small_config(experts), settings, corpus);
  while (!trainer.finished())
    trainer.step(reports == Reports::always || (reports == Reports::some && trainer.steps_done() % 3 == 0));
  return parameters_of(trainer.model());
}

TEST(Trainer, LearnsALearnableText) {
  for (const std::int64_t experts : {0, 4}) {
    Context ctx(2);
    const Corpus corpus = small_corpus();
    Trainer trainer(ctx, small_config(experts), small_settings(80), corpus);
    const double first = trainer.step(true)->loss;
    EXPECT_NEAR(first, std::log(256.0), 0.1) << "a small head starts near the uniform distribution";
    double last = 0;
    while (!trainer.finished()) last = trainer.step(true)->loss;
    EXPECT_LT(last, 2) << experts << " experts";
  }
}

TEST(BatchTensors, EveryTokenKnowsItsSequencesDomainAndItsPlaceInTheRun) {
  Context ctx;
  const Batch batch = make_batch(small_corpus(), 5, 3, 8, kContext);
  const BatchTensors b = to_device(ctx, batch);
  EXPECT_EQ(b.tokens.first_token, 3 * 8 * kContext);
  const auto tag = values_of<std::int32_t>(b.tokens.tag);
  ASSERT_EQ(tag.size(), static_cast<std::size_t>(8 * kContext));
  for (std::size_t i = 0; i < tag.size(); ++i) EXPECT_EQ(tag[i], batch.domain[i / kContext]) << i;
  EXPECT_NE(batch.domain, std::vector<std::int32_t>(8, batch.domain[0])) << "another seed is wanted";
}

TEST(Trainer, EverySettingHasAnEffect) {
  const auto after = [](auto change) {
    Context ctx(2);
    const Corpus corpus = small_corpus();
    TrainSettings settings = small_settings(40);
    change(settings);
    Trainer trainer(ctx, small_config(4), settings, corpus);
    for (int i = 0; i < 3; ++i) trainer.step(false);
    return parameters_of(trainer.model());
  };
  const auto plain = after([](auto&) {});
  EXPECT_EQ(after([](auto&) {}), plain);
  EXPECT_NE(after([](auto& s) { s.steps = 10; }), plain);
  EXPECT_NE(after([](auto& s) { s.sequences = 4; }), plain);
  EXPECT_NE(after([](auto& s) { s.length = 8; }), plain);
  EXPECT_NE(after([](auto& s) { s.learning_rate = 2e-2; }), plain);
  EXPECT_NE(after([](auto& s) { s.warmup_fraction = 0.2; }), plain);
  EXPECT_NE(after([](auto& s) { s.weight_decay = 0.5; }), plain);
  EXPECT_NE(after([](auto& s) { s.max_norm = 0.01; }), plain);
  EXPECT_NE(after([](auto& s) { s.seed = 6; }), plain);
}

// The same pass by hand, just before the step: a noisy router shows whose seed and whose step it was.
TEST(Trainer, ThePassOfAStepKnowsItsSeedAndItsNumber) {
  Context ctx(2);
  const Corpus corpus = small_corpus();
  const TrainSettings s = small_settings(40);
  LanguageModelConfig config = small_config(4);
  config.moe.router = "noisy_top_k", config.moe.top_k = 1;
  Trainer trainer(ctx, config, s, corpus);
  for (std::uint32_t step = 0; step < 3; ++step) {
    const BatchTensors b = to_device(ctx, make_batch(corpus, s.seed, step, s.sequences, s.length));
    const auto loss = [&](std::uint64_t seed, std::uint32_t number, bool training) {
      ForwardContext f{.ctx = ctx, .seed = seed, .step = number, .training = training, .tokens = &b.tokens};
      return scalar_of(ops::cross_entropy(f, trainer.model().forward(f), b.target).tensor);
    };
    const double mine = loss(s.seed, step, true);
    EXPECT_NE(loss(s.seed + 1, step, true), mine);
    EXPECT_NE(loss(s.seed, step + 1, true), mine);
    EXPECT_NE(loss(s.seed, step, false), mine);
    EXPECT_EQ(trainer.step(true)->loss, mine) << "step " << step;
  }
}

TEST(Trainer, AStepOfWarmUpThatHasBegunCounts) {
  Context ctx;
  const Corpus corpus = small_corpus();
  Trainer trainer(ctx, small_config(0), small_settings(30), corpus);  // 1.5 of 30 steps: two
  EXPECT_DOUBLE_EQ(trainer.step(true)->learning_rate, 5e-3);
  EXPECT_DOUBLE_EQ(trainer.step(true)->learning_rate, 1e-2);
}

TEST(Trainer, ReportsWhatTheStepDid) {
  Context ctx;
  const Corpus corpus = small_corpus();
  const TrainSettings settings = small_settings(40);  // warm-up: 2 steps
  Trainer trainer(ctx, small_config(4), settings, corpus);
  EXPECT_DOUBLE_EQ(trainer.step(true)->learning_rate, 5e-3) << "half of the peak";
  const StepReport r = *trainer.step(true);
  EXPECT_EQ(r.step, 2);
  EXPECT_EQ(trainer.steps_done(), 2);
  EXPECT_FALSE(trainer.step(false).has_value());
  EXPECT_DOUBLE_EQ(r.learning_rate, 1e-2);
  EXPECT_GT(r.gradient_norm, 0);
  EXPECT_NEAR(r.extra.at("aux"), 1, 0.5) << "1 when the load is even";
  EXPECT_NEAR(r.extra.at("z"), std::pow(std::log(4), 2), 0.5) << "small logits: logsumexp is ln E";
  ASSERT_EQ(r.load.size(), 2u);
  for (const auto& [layer, load] : r.load) {
    std::int64_t sum = 0;
    for (const std::int64_t n : load.load) sum += n;
    EXPECT_EQ(sum, settings.sequences * settings.length * 2) << "layer " << layer;
  }
}

TEST(Trainer, TrainsOnTheLossesOfTheRouter) {
  const auto imbalance_with = [](double coefficient) {
    Context ctx;
    const Corpus corpus = small_corpus();
    LanguageModelConfig config = small_config(4);
    config.moe.balance_coefficient = coefficient;
    Trainer trainer(ctx, config, small_settings(80), corpus);
    double aux = 0;
    while (!trainer.finished())
      if (const auto r = trainer.step(trainer.steps_done() >= 60)) aux += r->extra.at("aux") / 20;
    return aux - 1;  // 1: balanced
  };
  EXPECT_LT(imbalance_with(0.3), 0.5 * imbalance_with(0));
}

// With a learning rate that moves nothing, each step's loss is that of its own batch under the first model.
TEST(Trainer, EveryStepTakesTheBatchOfItsNumber) {
  Context ctx;
  const Corpus corpus = small_corpus();
  TrainSettings settings = small_settings(4);
  settings.learning_rate = 1e-30;
  Trainer trainer(ctx, small_config(4), settings, corpus);
  double before = 0;
  for (std::uint32_t step = 0; step < 4; ++step) {
    const BatchTensors batch =
        to_device(ctx, make_batch(corpus, settings.seed, step, settings.sequences, settings.length));
    ForwardContext f{.ctx = ctx, .tokens = &batch.tokens};
    const double expected = scalar_of(ops::cross_entropy(f, trainer.model().forward(f), batch.target).tensor);
    EXPECT_NEAR(trainer.step(true)->loss, expected, 1e-6) << "step " << step;
    EXPECT_NE(expected, before);
    before = expected;
  }
}

TEST(Trainer, GivesTheSameBytesForAnyNumberOfThreads) {
  for (const std::int64_t experts : {0, 4}) {
    const std::vector<float> one = trained(experts, 12, 1);
    for (const int threads : {2, 3})
      EXPECT_TRUE(same_bytes(trained(experts, 12, threads), one))
          << experts << " experts, " << threads << " threads";
  }
}

TEST(Trainer, AnotherSeedGivesAnotherModel) {
  EXPECT_FALSE(same_bytes(trained(4, 3, 1, Reports::never, 5), trained(4, 3, 1, Reports::never, 6)));
}

TEST(Trainer, ReportsMakeNoDifferenceToTheBytes) {
  const std::vector<float> never = trained(4, 12, 2);
  EXPECT_TRUE(same_bytes(trained(4, 12, 2, Reports::always), never));
  EXPECT_TRUE(same_bytes(trained(4, 12, 2, Reports::some), never));
}

TEST(Trainer, TwoInTwoThreadsGiveTheBytesThatEachGivesAlone) {
  const std::vector<float> alone[2] = {trained(4, 12, 2), trained(0, 20, 2)};
  for (int repeat = 0; repeat < 3; ++repeat) {
    std::vector<float> together[2];
    std::thread other([&] { together[1] = trained(0, 20, 2); });
    together[0] = trained(4, 12, 2);
    other.join();
    EXPECT_TRUE(same_bytes(together[0], alone[0])) << "repeat " << repeat;
    EXPECT_TRUE(same_bytes(together[1], alone[1])) << "repeat " << repeat;
  }
}

TEST(Trainer, ANumberThatIsNoneStopsTheRunAndNamesTheStep) {
  for (const float poison : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()})
    for (const std::int64_t experts : {0, 4}) {
      Context ctx(2);
      const Corpus corpus = small_corpus();
      Trainer trainer(ctx, small_config(experts), small_settings(40), corpus);
      for (int i = 0; i < 3; ++i) trainer.step(true);
      trainer.model().visit([&](const std::string& name, Parameter& p) {
        if (name == "model.norm.weight") p.value.data<float>()[5] = poison;
      });
      EXPECT_TRUE(says(complaint([&] { trainer.step(true); }), "1: ", "at step 4 "));
    }
}

TEST(Trainer, NaNInARouterStopsTheRunToo) {
  Context ctx(2);
  const Corpus corpus = small_corpus();
  Trainer trainer(ctx, small_config(4), small_settings(40), corpus);
  trainer.model().visit([&](const std::string& name, Parameter& p) {
    if (name.ends_with("gate.weight")) p.value.data<float>()[0] = NAN;
  });
  EXPECT_TRUE(says(complaint([&] { trainer.step(true); }), "1: ", "at step 1 "));
}

TEST(Trainer, AnAbsurdLearningRateEndsInAMessageNotInACrash) {
  for (const std::int64_t experts : {0, 4}) {
    Context ctx(2);
    const Corpus corpus = small_corpus();
    TrainSettings settings = small_settings(60);
    settings.learning_rate = 1e30;
    Trainer trainer(ctx, small_config(experts), settings, corpus);
    const std::string said = complaint([&] {
      while (!trainer.finished()) trainer.step(true);
    });
    EXPECT_TRUE(says(said, "1: ", "training diverged: at step ")) << experts << " experts";
    EXPECT_TRUE(says(said, "1: ", "learning rate"));
  }
}

TEST(Trainer, PeakMemoryIsConstantFromTheFifthStepOn) {
  for (const bool report : {false, true}) {
    Context ctx(2);
    const Corpus corpus = small_corpus();
    Trainer trainer(ctx, small_config(4), small_settings(40), corpus);
    for (int i = 0; i < 5; ++i) trainer.step(report);
    const std::size_t peak = ctx.allocator->peak_bytes(), live = ctx.allocator->live_bytes();
    while (!trainer.finished()) trainer.step(report);
    EXPECT_EQ(ctx.allocator->peak_bytes(), peak);
    EXPECT_EQ(ctx.allocator->live_bytes(), live);
    EXPECT_LT(live, peak);
  }
}

}  // namespace
}  // namespace moe
