#include "kernels/rope/rope.hpp"

#include <cmath>

#include "tests/support/compare.hpp"
#include "tests/support/finite_difference.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace testing;

// Each pair on its own, in long double: what a table of angles must reproduce.
std::vector<double> oracle(std::vector<double> x, const std::vector<std::int32_t>& position,
                           const RopeShape& s) {
  for (std::int64_t n = 0; n < s.N; ++n)
    for (std::int64_t h = 0; h < s.heads; ++h)
      for (std::int64_t i = 0; i < s.W / 2; ++i) {
        const long double frequency = std::pow(static_cast<long double>(s.theta), -2.0L * i / s.W);
        const long double angle = (s.inverse ? -1 : 1) * position[n] * frequency;
        double& a = x[n * s.ld + h * s.W + i];
        double& b = x[n * s.ld + h * s.W + s.W / 2 + i];
        const double turned = static_cast<double>(a * std::cos(angle) - b * std::sin(angle));
        b = static_cast<double>(a * std::sin(angle) + b * std::cos(angle));
        a = turned;
      }
  return x;
}

template <class T>
void expect_oracle(const RopeShape& s, const std::vector<std::int32_t>& position, double slack) {
  SCOPED_TRACE(concat(s.N, " rows, ", s.heads, " heads of ", s.W));
  const auto x = random_normal<T>(s.N * s.ld, 1);
  each_version(
      rope<T>,
      [&](Rope<T>& f, Context& ctx) {
        Output<T> y(s.N * s.ld);
        std::copy(x.begin(), x.end(), y.data());
        f(ctx, y, position.data(), s);
        return y.vector();
      },
      [&](const std::vector<T>& y) {
        EXPECT_TRUE(close(y, cast<T>(oracle(cast<double>(x), position, s)), {slack + kRounding<T>, 0}));
      });
}

template <class T>
class RopeTest : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(RopeTest, Types);

TYPED_TEST(RopeTest, TurnsEveryPairOfTheSequence) {
  for (const std::int64_t W : {2, 4, 30, 32, 34, 128})
    for (const std::int64_t heads : {1, 3})
      for (const std::int64_t N : {1, 33, 1000}) {
        std::vector<std::int32_t> position(N);
        for (std::int64_t n = 0; n < N; ++n) position[n] = static_cast<std::int32_t>(n % 129);
        expect_oracle<TypeParam>({.N = N, .heads = heads, .W = W, .ld = heads * W + 5}, position, 0);
      }
}

TYPED_TEST(RopeTest, TurnsAFewRowsAtFarPositions) {
  // The angle of position 1e6 itself carries 1e6 · 2^-53 of rounding, whichever way it is reached.
  expect_oracle<TypeParam>({.N = 4, .heads = 2, .W = 32, .ld = 64}, {0, 1000000, 4095, 131071}, 1e-9);
}

TYPED_TEST(RopeTest, OtherThetaAndInverse) {
  const std::vector<std::int32_t> position = {0, 1, 2, 3, 2, 1};
  expect_oracle<TypeParam>({.N = 6, .heads = 2, .W = 8, .ld = 16, .theta = 100, .inverse = true}, position,
                           0);
}

TYPED_TEST(RopeTest, TheFirstPairTurnsByOneRadianAPosition) {
  using T = TypeParam;
  Context ctx;
  std::vector<T> x = {1, 5, 0, 0};  // pairs (1, 0) and (5, 0)
  const std::vector<std::int32_t> position = {1};
  rope<T>(ctx, x.data(), position.data(), {.N = 1, .heads = 1, .W = 4, .ld = 4, .theta = 100});
  const std::vector<T> expected = {T(std::cos(1.0)), T(5 * std::cos(0.1)), T(std::sin(1.0)),
                                   T(5 * std::sin(0.1))};
  EXPECT_TRUE(close(x, expected, {0, kRounding<T>}));
}

TYPED_TEST(RopeTest, PositionZeroChangesNothing) {
  using T = TypeParam;
  Context ctx;
  const auto x = random_normal<T>(3 * 64, 2);
  auto y = x;
  const std::vector<std::int32_t> position(3, 0);
  rope<T>(ctx, y.data(), position.data(), {.N = 3, .heads = 2, .W = 32, .ld = 64});
  EXPECT_TRUE(close(y, x));
}

TYPED_TEST(RopeTest, ColumnsBehindTheHeadsAreLeftAlone) {
  using T = TypeParam;
  Context ctx;
  const auto x = random_normal<T>(40 * 11, 3);
  auto y = x;
  const std::vector<std::int32_t> position(40, 7);
  rope<T>(ctx, y.data(), position.data(), {.N = 40, .heads = 1, .W = 8, .ld = 11});
  for (std::int64_t n = 0; n < 40; ++n) {
    for (std::int64_t c = 0; c < 8; ++c) EXPECT_NE(y[n * 11 + c], x[n * 11 + c]);
    for (std::int64_t c = 8; c < 11; ++c) EXPECT_EQ(y[n * 11 + c], x[n * 11 + c]);
  }
}

TYPED_TEST(RopeTest, OneRowOnItsOwnGetsTheBytesItHasInItsSequence) {
  using T = TypeParam;
  Context ctx;
  const std::int64_t N = 300, W = 32;
  auto x = random_normal<T>(N * W, 4);
  auto alone = x;
  std::vector<std::int32_t> position(N);
  for (std::int64_t n = 0; n < N; ++n) position[n] = static_cast<std::int32_t>(n);
  rope<T>(ctx, x.data(), position.data(), {.N = N, .heads = 1, .W = W, .ld = W});
  for (std::int64_t n = 0; n < N; ++n)
    rope<T>(ctx, alone.data() + n * W, position.data() + n, {.N = 1, .heads = 1, .W = W, .ld = W});
  EXPECT_TRUE(close(alone, x));
}

TYPED_TEST(RopeTest, InverseTurnsBack) {
  using T = TypeParam;
  Context ctx;
  const auto x = random_normal<T>(64 * 32, 5);
  auto y = x;
  std::vector<std::int32_t> position(64);
  for (std::int32_t n = 0; n < 64; ++n) position[n] = 3 * n;
  RopeShape shape{.N = 64, .heads = 1, .W = 32, .ld = 32};
  rope<T>(ctx, y.data(), position.data(), shape);
  shape.inverse = true;
  rope<T>(ctx, y.data(), position.data(), shape);
  EXPECT_TRUE(close(y, x, {kRounding<T>, 0}));
}

TEST(Rope, InverseIsTheBackwardPass) {
  Context ctx;
  const RopeShape shape{.N = 3, .heads = 1, .W = 6, .ld = 6};
  RopeShape back = shape;
  back.inverse = true;
  const std::vector<std::int32_t> position = {2, 0, 11};
  const auto x = random_normal<double>(18, 6), dy = random_normal<double>(18, 7);
  auto dx = dy;
  rope<double>(ctx, dx.data(), position.data(), back);
  const auto f = [&](std::vector<double> at) {
    rope<double>(ctx, at.data(), position.data(), shape);
    return inner(at, dy);
  };
  EXPECT_TRUE(close(dx, finite_difference(f, x), {1e-8, 1e-7}));
}

TEST(Rope, RefusesBadShapesAndPositions) {
  Context ctx;
  std::vector<float> x(16);
  const std::int32_t zero = 0, negative = -1;
  EXPECT_THROW(rope<float>(ctx, x.data(), &zero, {.N = 1, .heads = 1, .W = 3, .ld = 16}), Error);
  EXPECT_THROW(rope<float>(ctx, x.data(), &zero, {.N = 1, .heads = 3, .W = 6, .ld = 16}), Error);
  EXPECT_THROW(rope<float>(ctx, x.data(), &negative, {.N = 1, .heads = 1, .W = 4, .ld = 16}), Error);
  rope<float>(ctx, nullptr, nullptr, {.N = 0, .heads = 1, .W = 4, .ld = 16});
}

}  // namespace
}  // namespace moe
