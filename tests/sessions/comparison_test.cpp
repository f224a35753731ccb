// What the comparison says, from curves made by hand.
#include "sessions/01_overview/moe_vs_dense/comparison.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "common/data/bpe_train.hpp"
#include "sessions/01_overview/experiment/statistics.hpp"

namespace moe::session1 {
namespace {

TEST(Spread, IsOfASample) {
  const std::vector<double> values = {1, 2, 6};
  const Spread s = spread_of(values);
  EXPECT_DOUBLE_EQ(s.mean, 3);
  EXPECT_DOUBLE_EQ(s.deviation, std::sqrt(7.0));  // (4 + 1 + 9) / 2
  EXPECT_EQ(spread_of(std::vector<double>{5}).deviation, 0);
}

TEST(Curve, IsReadBetweenItsPointsAndHeldBeyondThem) {
  const Curve c{{10, 20, 40}, {4, 3, 2}};
  EXPECT_DOUBLE_EQ(c.at(5), 4);
  EXPECT_DOUBLE_EQ(c.at(10), 4);
  EXPECT_DOUBLE_EQ(c.at(15), 3.5);
  EXPECT_DOUBLE_EQ(c.at(30), 2.5);
  EXPECT_DOUBLE_EQ(c.at(99), 2);
  EXPECT_TRUE(std::isnan(Curve{}.at(1)));
}

TEST(Winner, IsTheLowerOneUnlessTheGapIsNoise) {
  EXPECT_EQ(winner(2.5, 2.4), "the MoE is ahead by 0.100 bits per byte");
  EXPECT_EQ(winner(2.4, 2.5), "the dense model is ahead by 0.100 bits per byte");
  EXPECT_NE(winner(2.5, 2.5 - 1.9 * kSeedDeviation).find("no winner"), std::string::npos);
  EXPECT_NE(winner(2.5, 2.5 - 2.1 * kSeedDeviation).find("the MoE is ahead"), std::string::npos);
}

TEST(Passage, IsMeasuredInBytesAndBeginsWithALine) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += concat("line ", 1000 + i, "\n");  // 10 bytes each
  const std::string_view view = text;
  const BpeTokenizer bpe(train_bpe(std::span(&view, 1), {.vocabulary = 290}));
  const ByteTokenizer bytes;
  EXPECT_EQ(bytes.decode(passage(bytes.encode(text), bytes, 40)), text.substr(310, 40));
  const std::string pieces = bpe.decode(passage(bpe.encode(text), bpe, 40));
  EXPECT_NE(text.find("\n" + pieces), std::string::npos) << pieces;
  EXPECT_GE(pieces.size(), 40u);
  EXPECT_LT(pieces.size(), 50u);
  EXPECT_EQ(bytes.decode(passage(bytes.encode(text), bytes, 295)), text.substr(300, 295))
      << "too little follows a line end";
  EXPECT_EQ(bytes.decode(passage(bytes.encode(text), bytes, 900)), text.substr(300)) << "all there is";
  EXPECT_TRUE(passage({}, bytes, 40).empty());
}

ModelRun run_of(const std::string& name, std::vector<double> seconds, std::vector<double> bits) {
  ModelRun run{.name = name};
  for (std::size_t i = 0; i < bits.size(); ++i)
    run.metrics.push_back(
        {{"step", static_cast<std::int64_t>(100 * (i + 1))}, {"seconds", seconds[i]}, {"held_out", bits[i]}});
  run.result = {.finished = true, .seconds = seconds.back(), .evaluation = {}};
  run.result.evaluation.bits_per_byte = bits.back();
  run.result.evaluation.domain_bits = {bits.back()};
  return run;
}

// The MoE wins by steps (2.2 against 2.4) and passes the dense model's end at step 200; at 20 seconds it is half way from 3.0
// to 2.3, and behind.
TEST(Comparison, TellsEqualStepsFromEqualSeconds) {
  Corpus corpus;
  corpus.domains.resize(1);
  corpus.domains[0].name = "tales";
  Options options;
  options.train.steps = 300;
  ModelRun moe = run_of("MoE", {15, 25, 40}, {3.0, 2.3, 2.2});
  moe.result.evaluation.expert_domain = {{{8}, {4}}};
  const Comparison c =
      compare(options, corpus, run_of("dense", {8, 14, 20}, {2.9, 2.5, 2.4}), std::move(moe));
  EXPECT_DOUBLE_EQ(c.fair_seconds, 20);
  EXPECT_DOUBLE_EQ(c.dense_at_seconds, 2.4);
  EXPECT_DOUBLE_EQ(c.moe_at_seconds, 2.65);
  const std::vector<std::string> lines = verdict(c);
  EXPECT_NE(lines[0].find("After equal steps the MoE is ahead by 0.200"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("the dense model is ahead by 0.250"), std::string::npos) << lines[1];
  EXPECT_NE(lines[2].find("by step 200 of 300"), std::string::npos) << lines[2];
  EXPECT_EQ(expert_load(c, 0), (std::vector<std::int64_t>{8, 4}));
  EXPECT_NE(result_text(c).find("tales"), std::string::npos);
}

}  // namespace
}  // namespace moe::session1
