// Stage 1.6: each experiment's rows, and the parts that no other folder tests.
#include <cmath>
#include <set>

#include "sessions/01_overview/challenges/challenges.hpp"
#include "sessions/01_overview/challenges/geometry.hpp"
#include "sessions/01_overview/challenges/instability.hpp"
#include "sessions/01_overview/challenges/models.hpp"
#include "sessions/01_overview/experiment/mixed_text.hpp"
#include "tests/sessions/stage_files.hpp"
#include "tests/train/support.hpp"

namespace moe::testing {
namespace {

using namespace session1;

class Challenges : public Session {
 protected:
  Words challenge(const std::string& only, const Words& more = {}) const {
    Words words = {"--only", only, "--steps", "4"};
    words.insert(words.end(), more.begin(), more.end());
    return stage("run", words, kPrograms + "/stage_1.6");
  }
  std::vector<Words> rows(const std::string& name, std::size_t panels, const Words& more = {}) const {
    const Ended ended = done(challenge(name, more));
    expect_stage_files(folder / "run", name, panels, ended);
    return csv_rows(contents(folder / ("run/" + name + ".csv")));
  }
};

TEST_F(Challenges, InstabilityRunsEveryCombination) {
  const auto table = rows("instability", 4);
  ASSERT_EQ(table.size(), 13u) << "two learning rates, three precisions, with and without a z-loss";
  std::set<std::string> seen;
  for (std::size_t i = 1; i < table.size(); ++i) {
    seen.insert(table[i][0] + table[i][1] + table[i][2]);
    EXPECT_GT(std::stod(table[i][3]), 1) << "bits per byte";
    EXPECT_GE(std::stod(table[i][7]), std::stod(table[i][6])) << "three bits flip at least as much as seven";
  }
  EXPECT_EQ(seen.size(), 12u);
}

// Clipping keeps small models from diverging at any rate that the flag takes, so this one is made by hand.
TEST(Instability, ADivergedRunIsARow) {
  std::vector<StabilityTrial> trials;
  for (const double factor : {1.0, 5.0})
    for (const Precision& p : kPrecisions)
      trials.push_back({.precision = p,
                        .factor = factor,
                        .z = 0,
                        .bits = 3,
                        .step = {1, 2},
                        .loss = {5, 4},
                        .logsumexp = {1, 2}});
  trials[4].diverged = 7;
  trials[4].bits = NAN;
  trials[5].bits = 3.5;
  const Exhibit shown = instability_exhibit(trials);
  EXPECT_EQ(csv_rows(shown.table.csv()).at(5).at(3), "diverged at 7");
  EXPECT_NE(shown.sentences.at(0).find("0.000 bits"), std::string::npos) << shown.sentences[0];
  EXPECT_NE(shown.sentences.at(1).find("1 of 3 routers diverged"), std::string::npos) << shown.sentences[1];
  EXPECT_NE(shown.sentences.at(1).find("0.500 bits"), std::string::npos) << shown.sentences[1];
}

TEST_F(Challenges, CollapseComparesRoutersThatLearnWithThoseThatDoNot) {
  const auto table = rows("collapse", 2);
  ASSERT_GE(table.size(), 4u);
  EXPECT_EQ(table[1][0], "top_k");
  for (std::size_t i = 1; i < table.size(); ++i) {
    const double rank = std::stod(table[i][3]);
    EXPECT_GE(rank, 1) << table[i][0];
    EXPECT_LE(rank, 16) << "the width";
    EXPECT_EQ(table[i][6].empty(), table[i][0] == "hash") << "hash has no rows";
  }
}

TEST_F(Challenges, RedundancyBeginsWithTheWholeModelInEveryColumn) {
  const auto table = rows("redundancy", 1);
  ASSERT_EQ(table.size(), 4u) << "4, 3 and 2 of 4 experts, none fewer than K";
  EXPECT_EQ(table[1][1], "0.0%");
  for (const int column : {3, 4}) EXPECT_EQ(table[1][column], table[1][2]);
  EXPECT_EQ(table[2][0], "3");
  EXPECT_EQ(table[3][0], "2");
}

TEST_F(Challenges, RandomRoutingMeasuresEveryKAtInference) {
  const Ended ended = done(challenge("random_routing"));
  expect_stage_files(folder / "run", "random_routing", 1, ended);
  for (const char* column : {"K = 1", "K = 2", "K = 4"}) EXPECT_NE(ended.out.find(column), std::string::npos);
  EXPECT_EQ(ended.out.find("K = 8 │"), std::string::npos) << "there are four experts";
}

TEST_F(Challenges, JsonIsOneTable) {
  const Ended ended = done(challenge("redundancy", {"--json", "--quiet"}));
  EXPECT_EQ(ended.out.front(), '[');
  EXPECT_EQ(ended.err, "");
  expect_refused(challenge("redundancy,collapse", {"--json"}), 2, "--only");
  expect_refused(challenge("redundance"), 2, "did you mean redundancy?");
  expect_refused(challenge("redundancy", {"--device", "cuda:99"}), 3, "");
}

TEST_F(Challenges, ThreadsDoNotChangeTheResult) {
  const std::string one = done(challenge("redundancy", {"--json"})).out;
  EXPECT_EQ(done(challenge("redundancy", {"--json", "--threads", "3"})).out, one);
}

// In three dimensions, with rows along x and x + y: what lies in the plane of x and y is inside, z is not.
TEST(Geometry, TheShareInsideIsThatOfThePlane) {
  Context ctx;
  const std::vector<double> rows = {2, 0, 0, 1, 1, 0, 3, 1, 0};  // the third lies in the plane, too
  const auto states = [&](const std::vector<float>& x) {
    return tensor_of(ctx, x, {static_cast<std::int64_t>(x.size()) / 3, 3});
  };
  EXPECT_NEAR(share_inside(states({1, 2, 7, -1, -2, 7}), rows), 1, 1e-12) << "their mean is taken off";
  EXPECT_NEAR(share_inside(states({0, 0, 1, 0, 0, -1}), rows), 0, 1e-12);
  EXPECT_NEAR(share_inside(states({3, 0, 4, -3, 0, -4}), rows), 9.0 / 25, 1e-12);
  EXPECT_EQ(share_inside(states({5, 5, 5, 5, 5, 5}), rows), 0) << "all alike";
}

TEST(Geometry, RouterRowsAreTheLastLayersWeights) {
  Context ctx;
  LanguageModel model(ctx, small_config(4));
  initialise(ctx, 3, [&](const ParameterVisitor& v) { model.visit(v); });
  std::vector<double> expected;
  model.visit([&](const std::string& name, Parameter& p) {
    if (name != "model.layers.1.block_sparse_moe.gate.weight") return;
    for (const float x : values_of<float>(p.value)) expected.push_back(x);
  });
  EXPECT_EQ(router_rows(model), expected);
  LanguageModelConfig hash = small_config(4);
  hash.moe.router = "hash";
  LanguageModel without(ctx, hash);
  EXPECT_TRUE(router_rows(without).empty());
}

TEST(Models, AnotherConfigurationKeepsTheValues) {
  Context ctx;
  const Corpus corpus = small_corpus();
  LanguageModel model(ctx, small_config(4));
  initialise(ctx, 3, [&](const ParameterVisitor& v) { model.visit(v); });
  const Batch batch = mixed_held_out(corpus, 2, kContext, 1)[0];
  const auto losses = row_losses_of(ctx, model, batch);
  LanguageModelConfig config = small_config(4);
  EXPECT_EQ(row_losses_of(ctx, *with_config(ctx, model, config), batch), losses);
  config.moe.top_k = 3;
  EXPECT_NE(row_losses_of(ctx, *with_config(ctx, model, config), batch), losses);
  config.width = 32;
  EXPECT_THROW(with_config(ctx, model, config), Error);
}

}  // namespace
}  // namespace moe::testing
