#include "kernels/rms_norm/rms_norm.hpp"

#include <cmath>

#include "tests/support/compare.hpp"
#include "tests/support/finite_difference.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace testing;
constexpr double kEpsilon = 1e-5;

double inverse_of(const double* x, std::int64_t D) {
  double sum = 0;
  for (std::int64_t d = 0; d < D; ++d) sum += x[d] * x[d];
  return 1 / std::sqrt(sum / static_cast<double>(D) + kEpsilon);
}

template <class T>
class RmsNormTest : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(RmsNormTest, Types);

TYPED_TEST(RmsNormTest, MatchesTheDefinition) {
  using T = TypeParam;
  for (const std::int64_t D : kAwkward)
    for (const std::int64_t N : {1, 3, 700}) {
      SCOPED_TRACE(concat(N, " x ", D));
      const auto x = random_normal<T>(N * D, 1), w = random_normal<T>(D, 2);
      const auto exact = cast<double>(x);
      std::vector<double> expected(N * D + N);  // y, then inverse_rms
      for (std::int64_t n = 0; n < N; ++n) {
        expected[N * D + n] = inverse_of(exact.data() + n * D, D);
        for (std::int64_t d = 0; d < D; ++d)
          expected[n * D + d] = double(w[d]) * exact[n * D + d] * expected[N * D + n];
      }
      each_version(
          rms_norm<T>,
          [&](RmsNorm<T>& f, Context& ctx) {
            Output<T> y(N * D), inverse(N);
            f(ctx, y, inverse, x.data(), w.data(), N, D, D, kEpsilon);
            auto both = y.vector();
            both.insert(both.end(), inverse.span().begin(), inverse.span().end());
            return both;
          },
          [&](const std::vector<T>& both) {
            EXPECT_TRUE(close(both, cast<T>(expected), {1e-30, kRounding<T>}));
          });
    }
}

TYPED_TEST(RmsNormTest, ThreeAndFourHaveRootMeanSquareOfFiveOverRootTwo) {
  using T = TypeParam;
  Context ctx;
  const std::vector<T> x = {3, 4}, w = {1, 10};
  Output<T> y(2);
  rms_norm<T>(ctx, y.data(), nullptr, x.data(), w.data(), 1, 2, 2, 0.0);
  const double root = std::sqrt(2.0);
  EXPECT_TRUE(close(y, std::vector<T>{T(0.6 * root), T(8 * root)}, {0, kRounding<T>}));
}

TYPED_TEST(RmsNormTest, ARowOfZerosStaysZero) {
  using T = TypeParam;
  Context ctx;
  const std::vector<T> x(5, 0), w(5, 2);
  Output<T> y(5), inverse(1);
  rms_norm<T>(ctx, y.data(), inverse.data(), x.data(), w.data(), 1, 5, 5, 1e-4);
  EXPECT_TRUE(close(y, std::vector<T>(5, 0)));
  EXPECT_TRUE(close(inverse, std::vector<T>{100}, {0, kRounding<T>}));
}

// dx (N, D), then dw (D), from the formula with its sums in double.
template <class T>
std::vector<double> backward_oracle(const std::vector<T>& dy, const std::vector<T>& x,
                                    const std::vector<T>& w, const std::vector<T>& dw, std::int64_t N,
                                    std::int64_t D) {
  const auto exact = cast<double>(x);
  std::vector<double> out(N * D + D);
  for (std::int64_t d = 0; d < D; ++d) out[N * D + d] = double(dw[d]);
  for (std::int64_t n = 0; n < N; ++n) {
    const double s = inverse_of(exact.data() + n * D, D);
    double dot = 0;
    for (std::int64_t d = 0; d < D; ++d) dot += double(w[d]) * double(dy[n * D + d]) * exact[n * D + d];
    for (std::int64_t d = 0; d < D; ++d) {
      const std::int64_t i = n * D + d;
      out[i] = s * (double(w[d]) * double(dy[i]) - exact[i] * s * s * dot / static_cast<double>(D));
      out[N * D + d] += double(dy[i]) * exact[i] * s;
    }
  }
  return out;
}

TYPED_TEST(RmsNormTest, BackwardMatchesTheFormulaWrittenAndAdded) {
  using T = TypeParam;
  for (const std::int64_t D : kAwkward)
    for (const std::int64_t N : {1, 129, 3000}) {  // 3000 rows of 129: as many partial sums as there can be
      SCOPED_TRACE(concat(N, " x ", D));
      const auto x = random_normal<T>(N * D, 3), w = random_normal<T>(D, 4), dy = random_normal<T>(N * D, 5);
      const auto exact = cast<double>(x);
      std::vector<T> inverse(N);
      for (std::int64_t n = 0; n < N; ++n) inverse[n] = static_cast<T>(inverse_of(exact.data() + n * D, D));
      for (const bool accumulate : {false, true}) {
        const auto before = accumulate ? random_normal<T>(D, 6) : std::vector<T>(D, 0);
        const auto expected = backward_oracle(dy, x, w, before, N, D);
        each_version(
            rms_norm_backward<T>,
            [&](RmsNormBackward<T>& f, Context& ctx) {
              Output<T> dx(N * D), dw(D);
              if (accumulate) std::copy(before.begin(), before.end(), dw.data());
              f(ctx, dx, dw, dy.data(), x.data(), w.data(), inverse.data(), N, D, D, accumulate);
              auto both = dx.vector();
              both.insert(both.end(), dw.span().begin(), dw.span().end());
              return both;
            },
            [&](const std::vector<T>& both) {
              // A row of one element cancels: dx is the difference of two numbers as large as its inverse rms.
              const std::vector<T> want = cast<T>(expected);
              double largest = 1;
              for (std::int64_t n = 0; n < N; ++n) largest = std::max(largest, double(inverse[n]));
              EXPECT_TRUE(close(std::span(both).first(N * D), std::span(want).first(N * D),
                                {20 * largest * kRounding<T>, kRounding<T>}));
              EXPECT_TRUE(close(std::span(both).last(D), std::span(want).last(D),  // N roundings at random
                                {std::sqrt(double(N)) * kRounding<T>, 10 * kRounding<T>}));
            });
      }
    }
}

// Columns 2 .. 2+D of rows of D+5: the same numbers as from rows of D, in place too, and nothing else is touched.
TYPED_TEST(RmsNormTest, ColumnsOfAWiderMatrixAreNormalisedWhereTheyStand) {
  using T = TypeParam;
  const std::int64_t N = 3;
  for (const std::int64_t D : kAwkward) {
    SCOPED_TRACE(D);
    const std::int64_t ld = D + 5;
    const auto wide = random_normal<T>(N * ld, 1), w = random_normal<T>(D, 2),
               dy = random_normal<T>(N * ld, 3);
    const auto columns = [&](const std::vector<T>& from) {
      std::vector<T> narrow;
      for (std::int64_t n = 0; n < N; ++n)
        narrow.insert(narrow.end(), from.begin() + n * ld + 2, from.begin() + n * ld + 2 + D);
      return narrow;
    };
    // `from` with its columns replaced.
    const auto with_columns = [&](std::vector<T> from, const std::vector<T>& narrow) {
      for (std::int64_t i = 0; i < N * D; ++i) from[i / D * ld + 2 + i % D] = narrow[i];
      return from;
    };
    Context ctx(2);
    std::vector<T> y(N * D), inverse(N), inverse2(N), dx(N * D), dw(D), dw2(D);
    rms_norm<T>(ctx, y.data(), inverse.data(), columns(wide).data(), w.data(), N, D, D, kEpsilon);
    std::vector<T> in_place = wide;
    rms_norm<T>(ctx, in_place.data() + 2, inverse2.data(), in_place.data() + 2, w.data(), N, D, ld, kEpsilon);
    EXPECT_EQ(in_place, with_columns(wide, y));
    EXPECT_EQ(inverse2, inverse);
    rms_norm_backward<T>(ctx, dx.data(), dw.data(), columns(dy).data(), columns(wide).data(), w.data(),
                         inverse.data(), N, D, D, false);
    std::vector<T> dx2(N * ld, T(7));
    rms_norm_backward<T>(ctx, dx2.data() + 2, dw2.data(), dy.data() + 2, wide.data() + 2, w.data(),
                         inverse.data(), N, D, ld, false);
    EXPECT_EQ(dx2, with_columns(std::vector<T>(N * ld, T(7)), dx));
    EXPECT_EQ(dw2, dw);
  }
}

TYPED_TEST(RmsNormTest, NoRowsClearTheWeightGradient) {
  using T = TypeParam;
  Context ctx(2);
  Output<T> dx(0), dw(3);
  const std::vector<T> w(3, 1);
  rms_norm_backward<T>(ctx, dx.data(), dw.data(), nullptr, nullptr, w.data(), nullptr, 0, 3, 3, false);
  EXPECT_TRUE(close(dw, std::vector<T>(3, 0)));
}

TEST(RmsNormBackward, AgreesWithFiniteDifferences) {
  const std::int64_t N = 3, D = 5;
  Context ctx;
  const auto x = random_normal<double>(N * D, 7), w = random_normal<double>(D, 8),
             dy = random_normal<double>(N * D, 9);
  const auto f = [&](const std::vector<double>& at_x, const std::vector<double>& at_w) {
    std::vector<double> y(N * D);
    rms_norm<double>(ctx, y.data(), nullptr, at_x.data(), at_w.data(), N, D, D, kEpsilon);
    return inner(y, dy);
  };
  std::vector<double> y(N * D), inverse(N), dx(N * D), dw(D);
  rms_norm<double>(ctx, y.data(), inverse.data(), x.data(), w.data(), N, D, D, kEpsilon);
  rms_norm_backward<double>(ctx, dx.data(), dw.data(), dy.data(), x.data(), w.data(), inverse.data(), N, D, D,
                            false);
  EXPECT_TRUE(close(dx, finite_difference([&](const auto& at) { return f(at, w); }, x), {1e-8, 1e-7}));
  EXPECT_TRUE(close(dw, finite_difference([&](const auto& at) { return f(x, at); }, w), {1e-8, 1e-7}));
}

}  // namespace
}  // namespace moe
