#include "kernels/softmax/softmax.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "tests/support/compare.hpp"
#include "tests/support/finite_difference.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace testing;

// One row in double: exp(x - max) / sum, and log Σ exp(x) as the last element.
std::vector<double> oracle_row(const double* x, std::int64_t C) {
  double top = x[0], sum = 0;
  for (std::int64_t c = 1; c < C; ++c) top = std::max(top, x[c]);
  for (std::int64_t c = 0; c < C; ++c) sum += std::exp(x[c] - top);
  std::vector<double> y;
  for (std::int64_t c = 0; c < C; ++c) y.push_back(std::exp(x[c] - top) / sum);
  y.push_back(top + std::log(sum));
  return y;
}

// y (R, C), then logsumexp (R).
std::vector<double> oracle(const std::vector<double>& x, std::int64_t R, std::int64_t C) {
  std::vector<double> y(R * C + R);
  for (std::int64_t r = 0; r < R; ++r) {
    const auto row = oracle_row(x.data() + r * C, C);
    std::copy_n(row.begin(), C, y.begin() + r * C);
    y[R * C + r] = row.back();
  }
  return y;
}

template <class T>
std::vector<T> run(Softmax<T>& f, Context& ctx, const std::vector<T>& x, std::int64_t R, std::int64_t C) {
  Output<T> y(R * C), lse(R);
  f(ctx, y, lse, x.data(), R, C);
  std::vector<T> both = y.vector();
  both.insert(both.end(), lse.span().begin(), lse.span().end());
  return both;
}

template <class T>
class SoftmaxTest : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(SoftmaxTest, Types);

TYPED_TEST(SoftmaxTest, MatchesTheDefinition) {
  using T = TypeParam;
  for (const std::int64_t C : {1, 2, 4, 8, 15, 16, 17, 31, 32, 64, 127, 128, 129, 1000})
    for (const std::int64_t R : {1, 33, 300}) {
      SCOPED_TRACE(concat(R, " x ", C));
      const auto x = random_normal<T>(R * C, 1);
      each_version(
          softmax<T>, [&](Softmax<T>& f, Context& ctx) { return run(f, ctx, x, R, C); },
          [&](const std::vector<T>& y) {
            const auto expected = cast<T>(oracle(cast<double>(x), R, C));
            EXPECT_TRUE(
                close(std::span(y).first(R * C), std::span(expected).first(R * C), {0, kRounding<T>}));
            EXPECT_TRUE(
                close(std::span(y).last(R), std::span(expected).last(R), {kRounding<T>, kRounding<T>}));
          });
    }
}

TYPED_TEST(SoftmaxTest, ThreeEqualNumbersShareEvenly) {
  using T = TypeParam;
  Context ctx;
  Output<T> y(3), lse(1);
  const std::vector<T> x = {7, 7, 7};
  softmax<T>(ctx, y.data(), lse.data(), x.data(), 1, 3);
  EXPECT_TRUE(close(y, std::vector<T>(3, T(1) / 3), {0, kRounding<T>}));
  EXPECT_TRUE(close(lse, std::vector<T>{static_cast<T>(7 + std::log(3.0))}, {0, kRounding<T>}));
}

TYPED_TEST(SoftmaxTest, InPlaceAndWithoutLogsumexpGiveTheSameBytes) {
  using T = TypeParam;
  for (const std::int64_t C : {16, 32, 33, 129}) {
    Context ctx;
    Output<T> apart(65 * C), lse(65);
    auto x = random_normal<T>(65 * C, 2);
    softmax<T>(ctx, apart.data(), lse.data(), x.data(), 65, C);
    softmax<T>(ctx, x.data(), nullptr, x.data(), 65, C);
    EXPECT_TRUE(close(x, apart.vector()));
  }
}

TYPED_TEST(SoftmaxTest, LargeNumbersNeitherOverflowNorVanish) {
  using T = TypeParam;
  const T infinity = std::numeric_limits<T>::infinity();
  for (const std::int64_t C : {4, 8, 16, 32}) {
    std::vector<T> x(C, -infinity), expected(C);
    x[0] = x[1] = T(1e30), x[3] = T(-1e30);
    expected[0] = expected[1] = T(0.5);
    each_version(
        softmax<T>, [&](Softmax<T>& f, Context& ctx) { return run(f, ctx, x, 1, C); },
        [&](const std::vector<T>& y) {
          EXPECT_TRUE(close(std::span(y).first(C), std::span<const T>(expected)));
        });
  }
}

TYPED_TEST(SoftmaxTest, ARowWithNaNIsAllNaNAndItsNeighboursAreNot) {
  using T = TypeParam;
  for (const auto& version : versions_here(softmax<T>))
    for (const std::int64_t C : {3, 8, 16, 32, 33, 129})
      for (const std::int64_t bad : {std::int64_t{0}, C / 2, C - 1}) {
        SCOPED_TRACE(concat(version.name, " ", C));
        auto x = random_normal<T>(3 * C, 3);
        x[C + bad] = std::numeric_limits<T>::quiet_NaN();
        Context ctx;
        ctx.device.kind = version.device;
        const auto y = run(*version.function, ctx, x, 3, C);
        for (std::int64_t i = 0; i < 3 * C; ++i) EXPECT_EQ(std::isnan(y[i]), i / C == 1) << i << " of " << C;
        EXPECT_TRUE(std::isnan(y[3 * C + 1]));
      }
}

// A router that looks at one token at a time must not depend on how many there are.
TYPED_TEST(SoftmaxTest, ARowHasTheSameBytesAmongAnyNumberOfRows) {
  using T = TypeParam;
  for (const auto& version : versions_here(softmax<T>))
    for (const std::int64_t C : {8, 16, 32}) {
      Context ctx;
      ctx.device.kind = version.device;
      const auto x = random_normal<T>(33 * C, 4), all = run(*version.function, ctx, x, 33, C);
      for (const std::int64_t R : {1, 3, 15, 16, 17, 32}) {
        const auto some = run(*version.function, ctx, x, R, C);
        EXPECT_EQ(std::memcmp(some.data(), all.data(), R * C * sizeof(T)), 0) << R << " rows of " << C;
        EXPECT_EQ(std::memcmp(&some[R * C], &all[33 * C], R * sizeof(T)), 0) << R << " rows of " << C;
      }
    }
}

TYPED_TEST(SoftmaxTest, NoRowsIsNoWork) {
  using T = TypeParam;
  Context ctx(2);
  Output<T> y(0), lse(0);
  softmax<T>(ctx, y.data(), lse.data(), nullptr, 0, 8);
}

TYPED_TEST(SoftmaxTest, BackwardMatchesTheFormulaWrittenAndAdded) {
  using T = TypeParam;
  for (const std::int64_t C : kAwkward)
    for (const bool accumulate : {false, true}) {
      const std::int64_t R = 130;
      const auto y = random_normal<T>(R * C, 4), dy = random_normal<T>(R * C, 5),
                 before = random_normal<T>(R * C, 6);
      std::vector<double> expected(R * C);
      for (std::int64_t r = 0; r < R; ++r) {
        double dot = 0;
        for (std::int64_t c = r * C; c < (r + 1) * C; ++c) dot += double(dy[c]) * double(y[c]);
        for (std::int64_t c = r * C; c < (r + 1) * C; ++c)
          expected[c] = (accumulate ? double(before[c]) : 0) + double(y[c]) * (double(dy[c]) - dot);
      }
      each_version(
          softmax_backward<T>,
          [&](SoftmaxBackward<T>& f, Context& ctx) {
            Output<T> dx(R * C);
            if (accumulate) std::copy(before.begin(), before.end(), dx.data());
            f(ctx, dx, dy.data(), y.data(), R, C, accumulate);
            return dx.vector();
          },
          [&](const std::vector<T>& dx) {  // sums of C products of order 1, times y
            EXPECT_TRUE(close(dx, cast<T>(expected), {20 * kRounding<T>, kRounding<T>}));
          });
    }
}

TYPED_TEST(SoftmaxTest, BackwardMayOverwriteItsInput) {
  using T = TypeParam;
  Context ctx;
  const auto y = random_normal<T>(40 * 33, 7);
  auto dy = random_normal<T>(40 * 33, 8);
  Output<T> apart(40 * 33);
  softmax_backward<T>(ctx, apart.data(), dy.data(), y.data(), 40, 33, false);
  softmax_backward<T>(ctx, dy.data(), dy.data(), y.data(), 40, 33, false);
  EXPECT_TRUE(close(dy, apart.vector()));
}

TEST(SoftmaxBackward, AgreesWithFiniteDifferences) {
  const std::int64_t R = 3, C = 7;
  Context ctx;
  const auto x = random_normal<double>(R * C, 9), dy = random_normal<double>(R * C, 10);
  std::vector<double> y(R * C), dx(R * C);
  softmax<double>(ctx, y.data(), nullptr, x.data(), R, C);
  softmax_backward<double>(ctx, dx.data(), dy.data(), y.data(), R, C, false);
  const auto f = [&](const std::vector<double>& at) {
    std::vector<double> out(R * C);
    softmax<double>(ctx, out.data(), nullptr, at.data(), R, C);
    return inner(out, dy);
  };
  EXPECT_TRUE(close(dx, finite_difference(f, x), {1e-8, 1e-7}));
}

}  // namespace
}  // namespace moe
