#include "common/analysis/analysis.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/compare.hpp"

namespace moe::testing {
namespace {

Tensor table(Context& ctx, const std::vector<std::int32_t>& v, std::int64_t K) {
  return tensor_of<std::int32_t>(ctx, v, {static_cast<std::int64_t>(v.size()) / K, K});
}

TEST(EffectiveRank, CountsTheDirectionsThatRowsUse) {
  Context ctx;
  // ± unit vectors: the mean is 0 and all singular values are equal.
  for (const std::int64_t D : {1, 2, 31, 33}) {
    std::vector<double> x(static_cast<std::size_t>(2 * D * D));
    for (std::int64_t d = 0; d < D; ++d) x[2 * d * D + d] = 1, x[(2 * d + 1) * D + d] = -1;
    EXPECT_NEAR(effective_rank(tensor_of<double>(ctx, x, {2 * D, D})), static_cast<double>(D), 1e-9);
  }
}

// Singular values 3·√2 and √2: p = 3/4 and 1/4.
TEST(EffectiveRank, ByHand) {
  Context ctx;
  const Tensor x = tensor_of<float>(ctx, {3, 0, -3, 0, 0, 1, 0, -1}, {4, 2});
  EXPECT_NEAR(effective_rank(x), std::exp(-0.75 * std::log(0.75) - 0.25 * std::log(0.25)), 1e-9);
}

TEST(EffectiveRank, TheMeanIsNoDirection) {
  Context ctx;
  std::vector<double> x = {3, 0, -3, 0, 0, 1, 0, -1}, moved = x;
  for (double& v : moved) v += 100;
  EXPECT_NEAR(effective_rank(tensor_of<double>(ctx, x, {4, 2})),
              effective_rank(tensor_of<double>(ctx, moved, {4, 2})), 1e-6);
  EXPECT_EQ(effective_rank(tensor_of<double>(ctx, std::vector<double>(3 * 33, 0.1), {33, 3})), 0);
}

TEST(EffectiveRank, TheSizeOfTheRowsDoesNotMatter) {
  Context ctx;
  const std::vector<double> x = {3, 0, -3, 0, 0, 1, 0, -1};
  for (const double scale : {1e-12, 1e12}) {
    std::vector<double> scaled = x;
    for (double& v : scaled) v *= scale;
    EXPECT_NEAR(effective_rank(tensor_of<double>(ctx, scaled, {4, 2})),
                effective_rank(tensor_of<double>(ctx, x, {4, 2})), 1e-9);
  }
}

TEST(EffectiveRank, RowsOfOneDirectionHaveRankOne) {
  Context ctx;
  std::vector<float> x;
  for (int n = 0; n < 129; ++n)
    for (int d = 0; d < 7; ++d) x.push_back(static_cast<float>(n * (d + 1)));
  EXPECT_NEAR(effective_rank(tensor_of<float>(ctx, x, {129, 7})), 1, 1e-4);
}

TEST(EffectiveRank, OfNothingAndOfNaN) {
  Context ctx;
  EXPECT_EQ(effective_rank(Tensor::empty(ctx, DType::f32, {0, 4})), 0);
  EXPECT_EQ(effective_rank(tensor_of<double>(ctx, {1, 2, 3}, {1, 3})), 0);  // one row is its mean
  EXPECT_TRUE(std::isnan(effective_rank(tensor_of<float>(ctx, {1, 2, NAN, 4}, {2, 2}))));
}

TEST(CosineSimilarity, ByHand) {
  Context ctx;
  const auto c = cosine_similarity(tensor_of<double>(ctx, {1, 0, 3, 3, -2, 0, 0, 0}, {4, 2}));
  const double h = std::sqrt(0.5);
  EXPECT_TRUE(close(c, {1, h, -1, 0, h, 1, -h, 0, -1, -h, 1, 0, 0, 0, 0, 0}, {1e-12, 0}));
  EXPECT_NEAR(mean_off_diagonal(c), (2 * h - 2 - 2 * h) / 12, 1e-12);
  EXPECT_EQ(mean_off_diagonal({1}), 0);
  EXPECT_THROW(mean_off_diagonal({1, 2, 3}), Error);
}

TEST(CosineSimilarity, TakesARowWhateverItsShape) {
  Context ctx;
  const auto x = random_normal<double>(3 * 4 * 5, 1);
  EXPECT_EQ(cosine_similarity(tensor_of<double>(ctx, x, {3, 4, 5})),
            cosine_similarity(tensor_of<double>(ctx, x, {3, 20})));
}

TEST(Saturation, IsTheShareOfTheLaterExpertsThatWereThere) {
  Context ctx;
  const Tensor a = table(ctx, {0, 1, 2, 3, 4, -1}, 2), b = table(ctx, {1, 0, 3, 5, 6, 7}, 2);
  EXPECT_DOUBLE_EQ(saturation(a, b), 3.0 / 6);  // 1 and 0; 3; none
  EXPECT_DOUBLE_EQ(saturation(b, a), 3.0 / 5);  // a dropped one counts nowhere
  EXPECT_EQ(saturation(a, a), 1);
  EXPECT_EQ(saturation(table(ctx, {-1, -1}, 2), table(ctx, {-1, -1}, 2)), 0);
  EXPECT_THROW(saturation(a, table(ctx, {1, 2}, 2)), Error);
}

TEST(CoActivation, ByHand) {
  Context ctx;
  const auto c = co_activation(table(ctx, {0, 1, 1, 0, 0, 2, 1, -1}, 2), 4);
  const double t = 1.0 / 3;  // expert 0 has three tokens, two of them shared with 1 and one with 2
  EXPECT_TRUE(close(c, {1, 2 * t, t, 0, 2 * t, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0}, {1e-15, 0}));
  EXPECT_THROW(co_activation(table(ctx, {4}, 1), 4), Error);
}

}  // namespace
}  // namespace moe::testing
