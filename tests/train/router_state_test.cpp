// What routers keep besides learned weights: made before training, moved by rules, and back from a checkpoint.
#include <gtest/gtest.h>

#include <map>

#include "common/train/token_frequencies.hpp"
#include "tests/train/support.hpp"

namespace moe::testing {
namespace {

LanguageModelConfig config_with(const char* router) {
  LanguageModelConfig c = small_config(4);
  c.moe.router = router;
  return c;
}

std::map<std::string, std::vector<float>> named(LanguageModel& model, const std::string& part) {
  std::map<std::string, std::vector<float>> found;
  model.visit([&](const std::string& name, Parameter& p) {
    if (name.find(part) != name.npos) found[name] = values_of<float>(p.value);
  });
  return found;
}

TEST(TokenFrequencies, EveryDomainCountsAlike) {
  Corpus corpus;
  corpus.domains.resize(2);
  corpus.domains[0].train = {1, 1, 1, 2};
  corpus.domains[1].train = {3, 2};
  const double one = 0x1p32;
  EXPECT_EQ(token_frequencies(corpus, 5),
            (std::vector<std::int64_t>{0, std::int64_t(0.75 * one), std::int64_t(0.75 * one),
                                       std::int64_t(0.5 * one), 0}));
  EXPECT_THROW(token_frequencies(corpus, 3), Error);
}

// Each expert is promised its share of the training text; a letter is in the table, and no step moves it.
TEST(RouterState, TheTrainerFillsTheTableBeforeTheFirstStep) {
  Context ctx(2);
  const Corpus corpus = small_corpus();
  Trainer trainer(ctx, config_with("hash_balanced"), small_settings(4), corpus);
  const auto tables = named(trainer.model(), "gate.table");
  ASSERT_EQ(tables.size(), 2u);
  const auto frequency = token_frequencies(corpus, 256);
  for (const auto& [name, table] : tables) {
    ASSERT_EQ(table.size(), 512u);
    std::vector<double> load(4);
    for (std::size_t i = 0; i < table.size(); ++i)
      load.at(static_cast<std::size_t>(table[i])) += static_cast<double>(frequency[i / 2]);
    for (const double l : load) EXPECT_NEAR(l, 0x1p32, 0x1p32 * 0.1) << name;  // 2 domains · K / E
  }
  trainer.step(false);
  EXPECT_EQ(named(trainer.model(), "gate.table"), tables);
}

TEST(RouterState, ReMoesCoefficientMovesEveryStep) {
  Context ctx(2);
  const Corpus corpus = small_corpus();
  Trainer trainer(ctx, config_with("remoe"), small_settings(4), corpus);
  const auto before = named(trainer.model(), "gate.lambda");
  ASSERT_EQ(before.size(), 2u);
  for (const auto& [name, lambda] : before) EXPECT_EQ(lambda, (std::vector<float>{1e-8f})) << name;
  trainer.step(false);
  for (const auto& [name, lambda] : named(trainer.model(), "gate.lambda"))
    EXPECT_NE(lambda[0], 1e-8f) << name;
}

// Every router: a run that was saved and loaded half-way ends in the bytes of one that was not.
TEST(RouterState, ComesBackFromACheckpoint) {
  const Corpus corpus = small_corpus();
  for (const char* router :
       {"noisy_top_k", "sigmoid", "cosine", "null_experts", "top_p", "remoe", "hash_balanced", "frozen"}) {
    SCOPED_TRACE(router);
    LanguageModelConfig config = config_with(router);
    config.moe.k_growth_steps = 4;
    TemporaryDirectory run;
    Context ctx(2);
    Trainer whole(ctx, config, small_settings(6), corpus);
    for (int step = 0; step < 3; ++step) whole.step(false);
    whole.save(run.path());
    for (int step = 0; step < 3; ++step) whole.step(true);
    Trainer resumed(ctx, config, small_settings(6), corpus);
    resumed.load(run.path());
    for (int step = 0; step < 3; ++step) resumed.step(true);
    EXPECT_EQ(parameters_of(resumed.model()), parameters_of(whole.model()));
    const auto loaded = load_model(ctx, run.path());
    EXPECT_EQ(parameters_of(*loaded).size(), parameters_of(whole.model()).size());
  }
}

}  // namespace
}  // namespace moe::testing
