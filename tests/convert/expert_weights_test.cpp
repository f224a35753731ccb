#include "common/convert/expert_weights.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/analysis/analysis.hpp"
#include "tests/convert/support.hpp"

namespace moe::testing {
namespace {

TEST(AlignedNeurons, FindThePermutation) {
  for (const std::int64_t F : {0, 1, 2, 31, 33, 96}) {
    SCOPED_TRACE(F);
    ExpertWeights w = random_experts(2, 5, F, 1);
    const auto order = shuffled(F, 3);
    permute_neurons(w, 0, 1, order);
    EXPECT_EQ(aligned_neurons(w, 0, 0), shuffled(F, 0));
    std::vector<std::int32_t> inverse(order.size());
    for (std::int64_t j = 0; j < F; ++j) inverse[order[j]] = static_cast<std::int32_t>(j);
    EXPECT_EQ(aligned_neurons(w, 0, 1), inverse);
  }
}

// Neurons that are only near each other: the greatest sum of products, by trying all 120 orders of five.
TEST(AlignedNeurons, HaveTheGreatestSumOfProducts) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const ExpertWeights w = random_experts(2, 3, 5, seed);
    auto order = shuffled(5, 0), best = order;
    double greatest = -HUGE_VAL;
    do {
      const double sum = product_of(w, 0, 1, order);
      if (sum > greatest) greatest = sum, best = order;
    } while (std::next_permutation(order.begin(), order.end()));
    EXPECT_EQ(aligned_neurons(w, 0, 1), best);
  }
}

TEST(AlignedNeurons, EndWhereAllAreAlike) {
  ExpertWeights w(2, 3, 33);
  auto neuron = aligned_neurons(w, 0, 1);
  std::sort(neuron.begin(), neuron.end());
  EXPECT_EQ(neuron, shuffled(33, 0));
}

TEST(AlignedSimilarity, IsOneForTheSameExpertInAnotherOrder) {
  ExpertWeights w = random_experts(3, 5, 31, 1);
  permute_neurons(w, 0, 2, shuffled(31, 7));
  const auto s = aligned_similarity(w);
  for (const int i : {0, 4, 8, 2, 6}) EXPECT_NEAR(s[i], 1, 1e-12) << i;
  EXPECT_NEAR(s[1], s[5], 1e-12);  // experts 0 and 2 are as near to 1
  EXPECT_LT(s[1], 0.9);
  EXPECT_EQ(s[1], s[3]);
}

TEST(AlignedSimilarity, AnExpertOfZerosIsLikeNobody) {
  ExpertWeights w = random_experts(2, 5, 4, 1);
  std::fill_n(w.gate_up.begin(), 2 * 4 * 5, 0.0);
  std::fill_n(w.down.begin(), 5 * 4, 0.0);
  EXPECT_TRUE(close(aligned_similarity(w), {0, 0, 0, 1}, {1e-12, 0}));
}

TEST(MergeExperts, TheSameExpertInOtherOrdersIsThatExpert) {
  ExpertWeights w = random_experts(3, 5, 33, 1);
  permute_neurons(w, 1, 0, shuffled(33, 4));
  permute_neurons(w, 1, 2, shuffled(33, 5));
  const ExpertWeights merged = merge_experts(w, {{1, 0, 2}}, std::vector<double>{1, 5, 2});
  const ExpertWeights one = select_experts(w, {1});
  EXPECT_TRUE(close(merged.gate_up, one.gate_up, {1e-14, 1e-14}));
  EXPECT_TRUE(close(merged.down, one.down, {1e-14, 1e-14}));
}

// Scalars: expert 1 is expert 0 moved by a little, its two neurons exchanged; 3 to 1 is how often they were used.
TEST(MergeExperts, WeighsByImportanceAfterAligning) {
  ExpertWeights w(2, 1, 2);
  w.gate_up = {10, -10, 20, 40, /**/ -14, 14, 48, 24};
  w.down = {8, -8, /**/ -4, 4};
  const ExpertWeights merged = merge_experts(w, {{0, 1}}, std::vector<double>{3, 1});
  EXPECT_TRUE(close(merged.gate_up, {11, -11, 21, 42}, {1e-12, 0}));
  EXPECT_TRUE(close(merged.down, {7, -7}, {1e-12, 0}));
  const ExpertWeights unused = merge_experts(w, {{0, 1}}, std::vector<double>{0, 0});
  EXPECT_TRUE(close(unused.gate_up, {12, -12, 22, 44}, {1e-12, 0}));
}

TEST(MergeExperts, AGroupOfOneStaysAndTheOrderIsTheGroups) {
  const ExpertWeights w = random_experts(3, 4, 5, 2);
  const ExpertWeights merged = merge_experts(w, {{2}, {0}, {1}}, std::vector<double>{0, 1, 2});
  const ExpertWeights expected = select_experts(w, {2, 0, 1});
  EXPECT_EQ(merged.gate_up, expected.gate_up);
  EXPECT_EQ(merged.down, expected.down);
}

TEST(MergeExperts, GroupsMustBeAPartition) {
  const ExpertWeights w = random_experts(3, 2, 2, 3);
  const std::vector<double> all(3, 1);
  for (const ExpertGroups& groups :
       {ExpertGroups{{0, 1}}, {{0, 1}, {1, 2}}, {{0, 1, 2}, {}}, {{0, 1}, {3}}, {{-1, 0}, {1, 2}}})
    EXPECT_THROW(merge_experts(w, groups, all), Error);
  EXPECT_THROW(merge_experts(w, {{0, 1, 2}}, std::vector<double>(2, 1)), Error);
  EXPECT_THROW(select_experts(w, {3}), Error);
}

}  // namespace
}  // namespace moe::testing
