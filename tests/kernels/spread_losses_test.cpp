// Losses of how evenly numbers are spread: squared coefficient of variation, entropy.
#include <cmath>

#include "kernels/balance_loss/balance_loss.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/finite_difference.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace testing;

template <class T>
class SpreadLossesTest : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(SpreadLossesTest, Types);

TYPED_TEST(SpreadLossesTest, VariationIsZeroWhenEvenAndEMinusOneForOneExpert) {
  using T = TypeParam;
  Context ctx;
  Output<T> loss(1);
  Output<double> sum(4);
  const auto of = [&](std::vector<T> x) {
    squared_variation<T>(ctx, loss, sum, x.data(), 2, 4);
    return static_cast<double>(loss.vector()[0]);
  };
  EXPECT_EQ(of({1, 0, 1, 0, 0, 1, 0, 1}), 0);
  EXPECT_EQ(of({0, 3, 0, 0, 0, 4, 0, 0}), 3);
  EXPECT_EQ(of(std::vector<T>(8, 0)), 0);
  EXPECT_NEAR(of({1, 2, 3, 4, 0, 0, 0, 0}), 1.25 / 6.25, 1e-6);
  const std::vector<double> nothing(4, 0);
  const T dloss = 1;
  Output<T> dx(8);
  squared_variation_backward<T>(ctx, dx, &dloss, nothing.data(), 2, 4, false);
  EXPECT_EQ(dx.vector(), std::vector<T>(8, 0));
}

TYPED_TEST(SpreadLossesTest, EntropyIsLnEWhenUndecidedAndZeroWhenSure) {
  using T = TypeParam;
  for (const std::int64_t E : {1, 2, 33})
    for (const std::int64_t N : {1, 129, 3000})
      each_version(
          entropy_loss<T>,
          [&](EntropyLoss<T>& f, Context& ctx) {
            const std::vector<T> even(N * E, T(1) / static_cast<T>(E));
            Output<T> loss(1);
            f(ctx, loss, even.data(), N, E);
            return loss.vector();
          },
          [&](const std::vector<T>& loss) {
            EXPECT_TRUE(close(loss, std::vector<T>{T(std::log(double(E)))},
                              {10 * kRounding<T>, 0}));  // up to 99000 terms
          });
  Context ctx;
  Output<T> loss(1), dp(3);
  const std::vector<T> sure = {0, 1, 0}, dloss = {1};
  entropy_loss<T>(ctx, loss, sure.data(), 1, 3);
  entropy_loss_backward<T>(ctx, dp, dloss.data(), sure.data(), 1, 3, false);
  EXPECT_EQ(loss.vector()[0], 0);
  EXPECT_EQ(dp.vector(), (std::vector<T>{0, -1, 0}));
  entropy_loss<T>(ctx, loss, nullptr, 0, 3);
  EXPECT_EQ(loss.vector()[0], 0);
}

TEST(SpreadLosses, GradientsAgreeWithFiniteDifferencesAndAreAdded) {
  Context ctx;
  const std::int64_t N = 5, E = 3;
  auto x = random_normal<double>(N * E, 8);
  for (double& v : x) v = 0.1 + std::abs(v);
  const double dloss = 2;
  std::vector<double> sum(E), dx(N * E, 10), dp(N * E, 10);
  double loss;
  squared_variation<double>(ctx, &loss, sum.data(), x.data(), N, E);
  squared_variation_backward<double>(ctx, dx.data(), &dloss, sum.data(), N, E, true);
  entropy_loss_backward<double>(ctx, dp.data(), &dloss, x.data(), N, E, true);
  for (std::int64_t i = 0; i < N * E; ++i) dx[i] -= 10, dp[i] -= 10;
  const auto variation = [&](const std::vector<double>& at) {
    double y;
    squared_variation<double>(ctx, &y, sum.data(), at.data(), N, E);
    return dloss * y;
  };
  const auto entropy = [&](const std::vector<double>& at) {
    double y;
    entropy_loss<double>(ctx, &y, at.data(), N, E);
    return dloss * y;
  };
  EXPECT_TRUE(close(dx, finite_difference(variation, x), {1e-8, 1e-7}));
  EXPECT_TRUE(close(dp, finite_difference(entropy, x), {1e-8, 1e-7}));
}

}  // namespace
}  // namespace moe
