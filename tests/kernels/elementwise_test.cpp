#include "kernels/elementwise/elementwise.hpp"

#include <cmath>
#include <limits>

#include "tests/support/compare.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace testing;

constexpr std::int64_t kSizes[] = {0, 1, 31, 32, 33, 127, 129, 70001};  // the last: several chunks

template <class T>
class ElementwiseTest : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ElementwiseTest, Types);

TYPED_TEST(ElementwiseTest, FillWritesTheValueEverywhere) {
  using T = TypeParam;
  for (const std::int64_t n : kSizes)
    each_version(
        fill<T>,
        [&](Fill<T>& f, Context& ctx) {
          Output<T> y(n);
          f(ctx, y, 0.1, n);
          return y.vector();
        },
        [&](const std::vector<T>& y) { EXPECT_TRUE(close(y, std::vector<T>(n, T(0.1)))); });
}

TYPED_TEST(ElementwiseTest, AddIsExactAlsoOntoEitherOperand) {
  using T = TypeParam;
  for (const std::int64_t n : kSizes) {
    const auto a = random_normal<T>(n, 1), b = random_normal<T>(n, 2);
    std::vector<T> expected(n);
    for (std::int64_t i = 0; i < n; ++i) expected[i] = a[i] + b[i];
    each_version(
        add<T>,
        [&](Add<T>& f, Context& ctx) {
          Output<T> y(n);
          f(ctx, y, a.data(), b.data(), n);
          auto on_a = a, on_b = b;
          f(ctx, on_a.data(), on_a.data(), b.data(), n);
          f(ctx, on_b.data(), a.data(), on_b.data(), n);
          EXPECT_TRUE(close(on_a, expected));
          EXPECT_TRUE(close(on_b, expected));
          return y.vector();
        },
        [&](const std::vector<T>& y) { EXPECT_TRUE(close(y, expected)); });
  }
}

TYPED_TEST(ElementwiseTest, ScaleByReadsTheFactorFromMemory) {
  using T = TypeParam;
  for (const std::int64_t n : kSizes)
    for (const T factor : {T(1), T(-0.3), T(0)}) {
      const auto x = random_normal<T>(n, 4);
      std::vector<T> expected(n);
      for (std::int64_t i = 0; i < n; ++i) expected[i] = factor * x[i];
      each_version(
          scale_by<T>,
          [&](ScaleBy<T>& f, Context& ctx) {
            Output<T> y(n);
            f(ctx, y, x.data(), &factor, n);
            auto in_place = x;
            f(ctx, in_place.data(), in_place.data(), &factor, n);
            EXPECT_TRUE(close(in_place, expected));
            return y.vector();
          },
          [&](const std::vector<T>& y) { EXPECT_TRUE(close(y, expected)); });
    }
}

TYPED_TEST(ElementwiseTest, FillNormalIsTheNumberOfEachIndex) {
  using T = TypeParam;
  const RngKey key{.seed = 5, .purpose = Purpose::init, .layer = 3, .step = 2};
  for (const std::int64_t n : {0, 1, 33, 5000}) {
    std::vector<T> expected(n);
    for (std::int64_t i = 0; i < n; ++i) expected[i] = static_cast<T>(0.02 * normal(key, i));
    each_version(
        fill_normal<T>,
        [&](FillNormal<T>& f, Context& ctx) {
          Output<T> y(n);
          f(ctx, y, 0.02, key, n);
          return y.vector();
        },
        [&](const std::vector<T>& y) { EXPECT_TRUE(close(y, expected)); });
  }
}

// Against arithmetic: frexp, scale to an integer, round half to even, scale back.
TYPED_TEST(ElementwiseTest, RoundMantissaGoesToTheNearestEven) {
  using T = TypeParam;
  for (const std::int64_t n : kSizes)
    for (const int bits : {1, 3, 7, 10, 22}) {
      auto x = random_normal<T>(n, 3);
      for (std::int64_t i = 0; i < n; i += 3) x[i] = T(1 + (i % 64) / 64.0);  // many ties
      std::vector<T> expected(n);
      for (std::int64_t i = 0; i < n; ++i) {
        int exponent = 0;
        const double fraction = std::frexp(double(x[i]), &exponent);  // in [1/2, 1): bits + 1 binary places
        expected[i] =
            static_cast<T>(std::ldexp(std::nearbyint(std::ldexp(fraction, bits + 1)), exponent - bits - 1));
      }
      each_version(
          round_mantissa<T>,
          [&](RoundMantissa<T>& f, Context& ctx) {
            Output<T> y(n);
            f(ctx, y, x.data(), bits, n);
            auto in_place = x;
            f(ctx, in_place.data(), in_place.data(), bits, n);
            EXPECT_TRUE(close(in_place, expected));
            return y.vector();
          },
          [&](const std::vector<T>& y) { EXPECT_TRUE(close(y, expected)); });
    }
}

TYPED_TEST(ElementwiseTest, RoundMantissaKeepsWhatIsNoNumber) {
  using T = TypeParam;
  using Limits = std::numeric_limits<T>;
  const std::vector<T> x = {Limits::quiet_NaN(), -Limits::quiet_NaN(), Limits::infinity(),
                            -Limits::infinity(), Limits::max(),        T(0)};
  each_version(
      round_mantissa<T>,
      [&](RoundMantissa<T>& f, Context& ctx) {
        Output<T> y(6);
        f(ctx, y, x.data(), 3, 6);
        return y.vector();
      },
      [&](const std::vector<T>& y) {
        EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]));
        EXPECT_EQ(std::vector<T>(y.begin() + 2, y.end()),
                  (std::vector<T>{Limits::infinity(), -Limits::infinity(), Limits::infinity(), 0}));
      });
}

TYPED_TEST(ElementwiseTest, RoundMantissaToAllBitsChangesNothing) {
  using T = TypeParam;
  const auto x = random_normal<T>(33, 3);
  each_version(
      round_mantissa<T>,
      [&](RoundMantissa<T>& f, Context& ctx) {
        Output<T> y(33);
        f(ctx, y, x.data(), sizeof(T) == 4 ? 23 : 52, 33);
        return y.vector();
      },
      [&](const std::vector<T>& y) { EXPECT_EQ(y, x); });
}

TYPED_TEST(ElementwiseTest, AddSquaresWritesOrAddsToWhatIsThere) {
  using T = TypeParam;
  for (const std::int64_t n : kSizes) {
    const auto x = random_integers<T>(n, 9, 6);  // small integers: every order of additions is exact
    double squares = 0;
    for (const T number : x) squares += double(number) * double(number);
    for (const bool accumulate : {false, true})
      each_version(
          add_squares<T>,
          [&](AddSquares<T>& f, Context& ctx) {
            Output<double> sum(1);
            if (accumulate) *sum.data() = 7;
            f(ctx, sum, x.data(), n, accumulate);
            return sum.vector();
          },
          [&](const std::vector<double>& sum) {
            EXPECT_TRUE(close(sum, std::vector<double>{squares + (accumulate ? 7 : 0)}));
          });
  }
}

TYPED_TEST(ElementwiseTest, AddSquaresHasTheSameBytesForAnyThreads) {
  using T = TypeParam;
  const auto x = random_normal<T>(200001, 7);
  double expected = 0;
  for (const T number : x) expected += double(number) * double(number);
  each_version(
      add_squares<T>,
      [&](AddSquares<T>& f, Context& ctx) {
        std::vector<double> sum(1, 0);
        f(ctx, sum.data(), x.data(), 200001, true);
        return sum;
      },
      [&](const std::vector<double>& sum) {
        EXPECT_TRUE(close(sum, std::vector<double>{expected}, {0, 1e-12}));
      });
}

TEST(AddSquares, SquaresOfLargeFloatsDoNotOverflow) {
  Context ctx;
  const std::vector<float> x = {1e30f, 1e30f, 3};
  double sum = 0;
  add_squares<float>(ctx, &sum, x.data(), 3, false);
  EXPECT_EQ(sum, 2 * (double(1e30f) * double(1e30f)) + 9);
}

TEST(AddSquares, NaNIsNotLost) {
  Context ctx;
  for (const int bad : {0, 1, 2, 3, 4}) {
    std::vector<float> x(5, 1);
    x[bad] = std::numeric_limits<float>::quiet_NaN();
    double sum = 0;
    add_squares<float>(ctx, &sum, x.data(), 5, false);
    EXPECT_TRUE(std::isnan(sum)) << bad;
  }
}

}  // namespace
}  // namespace moe
