#include "kernels/cross_entropy/cross_entropy.hpp"

#include <cmath>
#include <limits>

#include "tests/support/compare.hpp"
#include "tests/support/finite_difference.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace testing;

std::vector<std::int32_t> random_targets(std::int64_t N, std::int64_t V, std::uint64_t seed) {
  std::vector<std::int32_t> target(N);
  for (std::int64_t n = 0; n < N; ++n)
    target[n] = static_cast<std::int32_t>(philox({.seed = seed}, n)[0] % V);
  return target;
}

// loss, row_loss (N), dlogits (N, V)
std::vector<double> oracle(const std::vector<double>& x, const std::vector<std::int32_t>& target,
                           std::int64_t V) {
  const auto N = static_cast<std::int64_t>(target.size());
  double counted = 0;
  for (const std::int32_t t : target) counted += t >= 0;
  std::vector<double> out(1 + N + N * V);
  for (std::int64_t n = 0; n < N; ++n) {
    if (target[n] < 0) continue;
    const double* row = x.data() + n * V;
    double sum = 0;
    for (std::int64_t c = 0; c < V; ++c) sum += std::exp(row[c]);
    out[1 + n] = std::log(sum) - row[target[n]];
    out[0] += out[1 + n] / counted;
    for (std::int64_t c = 0; c < V; ++c)
      out[1 + N + n * V + c] = (std::exp(row[c]) / sum - (c == target[n])) / counted;
  }
  return out;
}

template <class T>
std::vector<T> run(CrossEntropy<T>& f, Context& ctx, const std::vector<T>& x,
                   const std::vector<std::int32_t>& target, std::int64_t V) {
  const auto N = static_cast<std::int64_t>(target.size());
  Output<T> loss(1), row_loss(N), dlogits(N * V);
  f(ctx, loss, row_loss, dlogits, x.data(), target.data(), N, V);
  auto all = loss.vector();
  all.insert(all.end(), row_loss.span().begin(), row_loss.span().end());
  all.insert(all.end(), dlogits.span().begin(), dlogits.span().end());
  return all;
}

template <class T>
class CrossEntropyTest : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CrossEntropyTest, Types);

TYPED_TEST(CrossEntropyTest, MatchesTheDefinition) {
  using T = TypeParam;
  for (const std::int64_t V : {1, 2, 31, 33, 127, 128, 129, 1000})
    for (const std::int64_t N : {1, 33, 300}) {
      SCOPED_TRACE(concat(N, " x ", V));
      const auto x = random_normal<T>(N * V, 1);
      auto target = random_targets(N, V, 2);
      for (std::int64_t n = 3; n < N; n += 5) target[n] = -1;
      each_version(
          cross_entropy<T>, [&](CrossEntropy<T>& f, Context& ctx) { return run(f, ctx, x, target, V); },
          [&](const std::vector<T>& all) {
            EXPECT_TRUE(
                close(all, cast<T>(oracle(cast<double>(x), target, V)), {kRounding<T>, kRounding<T>}));
          });
    }
}

TYPED_TEST(CrossEntropyTest, EqualLogitsCostTheLogOfTheVocabulary) {
  using T = TypeParam;
  Context ctx;
  const std::vector<T> x(2 * 256, T(3.5));
  const std::vector<std::int32_t> target = {0, 255};
  Output<T> loss(1);
  cross_entropy<T>(ctx, loss.data(), nullptr, nullptr, x.data(), target.data(), 2, 256);
  EXPECT_TRUE(close(loss, std::vector<T>{T(std::log(256.0))}, {0, kRounding<T>}));
}

TYPED_TEST(CrossEntropyTest, TheGradientMayReplaceTheLogits) {
  using T = TypeParam;
  for (const std::int64_t V : {33, 300}) {
    Context ctx;
    auto x = random_normal<T>(50 * V, 3);
    const auto target = random_targets(50, V, 4);
    const auto apart = run(*cross_entropy<T>.versions()[0].function, ctx, x, target, V);
    T loss;
    cross_entropy<T>(ctx, &loss, nullptr, x.data(), x.data(), target.data(), 50, V);
    EXPECT_EQ(loss, apart[0]);
    EXPECT_TRUE(close(x, std::vector<T>(apart.begin() + 51, apart.end())));
  }
}

TYPED_TEST(CrossEntropyTest, WithoutGradientTheLossIsTheSame) {
  using T = TypeParam;
  const auto x = random_normal<T>(300 * 129, 5);
  auto target = random_targets(300, 129, 6);
  target[7] = -100;
  const auto expected = oracle(cast<double>(x), target, 129);
  each_version(
      cross_entropy<T>,
      [&](CrossEntropy<T>& f, Context& ctx) {
        Output<T> loss(1);
        f(ctx, loss, nullptr, nullptr, x.data(), target.data(), 300, 129);
        return loss.vector();
      },
      [&](const std::vector<T>& loss) {
        EXPECT_TRUE(close(loss, std::vector<T>{T(expected[0])}, {0, kRounding<T>}));
      });
}

TYPED_TEST(CrossEntropyTest, WhereNoRowCountsEverythingIsZero) {
  using T = TypeParam;
  Context ctx;
  const auto x = random_normal<T>(3 * 7, 7);
  const auto all = run(*cross_entropy<T>.versions()[0].function, ctx, x, {-1, -1, -1}, 7);
  EXPECT_TRUE(close(all, std::vector<T>(all.size(), 0)));
  Output<T> loss(1);
  cross_entropy<T>(ctx, loss.data(), nullptr, nullptr, nullptr, nullptr, 0, 7);
  EXPECT_TRUE(close(loss, std::vector<T>{0}));
}

TYPED_TEST(CrossEntropyTest, NaNReachesTheLossButNotOtherRows) {
  using T = TypeParam;
  for (const std::int64_t V : {5, 200}) {
    auto x = random_normal<T>(3 * V, 8);
    x[V + 3] = std::numeric_limits<T>::quiet_NaN();
    Context ctx;
    const auto all = run(*cross_entropy<T>.versions()[0].function, ctx, x, {0, 1, 2}, V);
    EXPECT_TRUE(std::isnan(all[0]));
    for (std::int64_t i = 0; i < 3 * V; ++i) EXPECT_EQ(std::isnan(all[4 + i]), i / V == 1) << i;
    T loss;
    cross_entropy<T>(ctx, &loss, nullptr, nullptr, x.data(), std::vector<std::int32_t>{0, 1, 2}.data(), 3, V);
    EXPECT_TRUE(std::isnan(loss));
  }
}

TEST(CrossEntropy, TheLossIsSummedInDouble) {
  // 2^20 equal rows: a float sum of ln 2 stalls at a relative error of 1e-3 or so.
  const std::int64_t N = 1 << 20;
  Context ctx(2);
  const std::vector<float> x(2 * N, 0);
  const std::vector<std::int32_t> target(N, 1);
  float loss;
  cross_entropy<float>(ctx, &loss, nullptr, nullptr, x.data(), target.data(), N, 2);
  EXPECT_EQ(loss, static_cast<float>(std::log(2.0)));
}

TEST(CrossEntropy, GradientAgreesWithFiniteDifferences) {
  Context ctx;
  const std::int64_t N = 4, V = 6;
  const auto x = random_normal<double>(N * V, 9);
  const std::vector<std::int32_t> target = {5, -1, 0, 2};
  double loss;
  std::vector<double> dx(N * V);
  cross_entropy<double>(ctx, &loss, nullptr, dx.data(), x.data(), target.data(), N, V);
  const auto f = [&](const std::vector<double>& at) {
    double y;
    cross_entropy<double>(ctx, &y, nullptr, nullptr, at.data(), target.data(), N, V);
    return y;
  };
  EXPECT_TRUE(close(dx, finite_difference(f, x), {1e-8, 1e-7}));
}

TEST(CrossEntropy, RefusesATargetOutsideTheVocabulary) {
  Context ctx;
  const std::vector<float> x(3);
  float loss;
  const std::int32_t target = 3;
  EXPECT_THROW(cross_entropy<float>(ctx, &loss, nullptr, nullptr, x.data(), &target, 1, 3), Error);
}

}  // namespace
}  // namespace moe
