// kernels/noisy_gate, unit_rows and relu_gate: against loops in double, and finite differences. Every version here, any
// number of threads; tests/simt compares the devices.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "kernels/noisy_gate/noisy_gate.hpp"
#include "kernels/relu_gate/relu_gate.hpp"
#include "kernels/unit_rows/unit_rows.hpp"
#include "tests/support/finite_difference.hpp"
#include "tests/support/numeric.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace moe::testing;
using Ints = std::vector<std::int32_t>;
using Doubles = std::vector<double>;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
const RngKey kKey{.seed = 5, .purpose = Purpose::router_noise};

template <class T>
class Gates : public ::testing::Test {};
TYPED_TEST_SUITE(Gates, Floats);

TYPED_TEST(Gates, NoiseIsSoftplusTimesTheNormalNumberOfTheToken) {
  using T = TypeParam;
  for (const std::int64_t N : kAwkward)
    for (const std::int64_t E : {1, 7, 33}) {
      const auto clean = random_normal<T>(N * E, 1), spread = random_normal<T>(N * E, 2);
      std::vector<T> expected(N * E);
      for (std::int64_t i = 0; i < N * E; ++i)
        expected[i] = static_cast<T>(static_cast<double>(clean[i]) +
                                     static_cast<double>(normal(kKey, 9 * E + i)) *
                                         std::log1p(std::exp(static_cast<double>(spread[i]))));
      each_version(
          noisy_score<T>,
          [&](auto& function, Context& ctx) {
            Output<T> y(N * E);
            function(ctx, y, clean.data(), spread.data(), kKey, {N, E, 9});
            return y.vector();
          },
          [&](const std::vector<T>& y) {
            EXPECT_TRUE(close(y, expected, {kRounding<T>, kRounding<T>}));
          });
    }
}

TYPED_TEST(Gates, SoftplusOfLargeNumbersDoesNotOverflow) {
  using T = TypeParam;
  Context ctx;
  const std::vector<T> clean(3, 0), spread = {1000, -1000, T(kNaN)};
  Output<T> y(3);
  noisy_score<T>(ctx, y, clean.data(), spread.data(), kKey, {1, 3});
  EXPECT_EQ(y.vector()[0], T(normal(kKey, 0)) * 1000);
  EXPECT_EQ(std::abs(y.vector()[1]), 0);
  EXPECT_TRUE(std::isnan(y.vector()[2]));
}

// Where softplus becomes the line, the two differ by 2e-9.
TYPED_TEST(Gates, SoftplusIsExactUntilTwenty) {
  using T = TypeParam;
  Context ctx;
  const std::vector<T> clean(5, 0), spread = {4, 6, 10, 15, T(20.5)};
  std::vector<T> expected;
  for (std::size_t i = 0; i < 5; ++i)
    expected.push_back(
        static_cast<T>(double{normal(kKey, i)} * std::log1p(std::exp(static_cast<double>(spread[i])))));
  Output<T> y(5);
  noisy_score<T>(ctx, y, clean.data(), spread.data(), kKey, {1, 5});
  EXPECT_TRUE(close(y.vector(), expected, {1e-8, sizeof(T) == 4 ? 1e-6 : 1e-14}));
}

TEST(GateGradients, OfNoiseAreDifferences) {
  const NoiseShape s{4, 3, 100};
  const auto clean = random_normal<double>(12, 1), spread = random_normal<double>(12, 2),
             c = random_normal<double>(12, 3);
  Context ctx;
  Doubles d(12);
  noisy_score_backward<double>(ctx, d.data(), c.data(), spread.data(), kKey, s);
  const auto f = [&](const Doubles& at) {
    Doubles y(12);
    noisy_score<double>(ctx, y.data(), clean.data(), at.data(), kKey, s);
    return std::inner_product(y.begin(), y.end(), c.begin(), 0.0);
  };
  EXPECT_TRUE(close(d, finite_difference(f, spread), {1e-8, 1e-7}));
}

struct Load {
  LoadShape s;
  Doubles clean, spread, score;
  Doubles P(const Doubles& a, const Doubles& b, const Doubles& h) const {
    Ints expert;
    const Doubles best = sorted(h, expert);
    Doubles y(a.size());
    Context ctx;
    load_probability<double>(ctx, y.data(), a.data(), b.data(), expert.data(), best.data(), s);
    return y;
  }
  Doubles sorted(const Doubles& h, Ints& expert) const {
    Doubles best;
    for (std::int64_t n = 0; n < s.N; ++n) {
      Ints order;
      for (std::int32_t e = 0; e < s.E; ++e) order.push_back(e);
      std::sort(order.begin(), order.end(), [&](int x, int y) { return h[n * s.E + x] > h[n * s.E + y]; });
      for (std::int64_t m = 0; m < s.M(); ++m) {
        expert.push_back(order[m]);
        best.push_back(h[n * s.E + order[m]]);
      }
    }
    return best;
  }
};

TEST(GateGradients, OfLoadProbabilitiesAreDifferences) {
  for (const std::int64_t K : {1, 2, 4, 5}) {
    const Load load{
        {6, 5, K}, random_normal<double>(30, 1), random_normal<double>(30, 2), random_normal<double>(30, 3)};
    const auto c = random_normal<double>(30, 4);
    const auto sum = [&](const Doubles& P) { return std::inner_product(P.begin(), P.end(), c.begin(), 0.0); };
    Ints expert;
    const Doubles best = load.sorted(load.score, expert);
    Doubles da(30), db(30), dh(30);
    Context ctx;
    load_probability_backward<double>(ctx, da.data(), db.data(), dh.data(), c.data(), load.clean.data(),
                                      load.spread.data(), expert.data(), best.data(), load.s);
    const auto in_clean = [&](const Doubles& at) { return sum(load.P(at, load.spread, load.score)); };
    const auto in_spread = [&](const Doubles& at) { return sum(load.P(load.clean, at, load.score)); };
    const auto in_score = [&](const Doubles& at) { return sum(load.P(load.clean, load.spread, at)); };
    EXPECT_TRUE(close(da, finite_difference(in_clean, load.clean), {1e-8, 1e-6})) << K;
    EXPECT_TRUE(close(db, finite_difference(in_spread, load.spread), {1e-8, 1e-6})) << K;
    EXPECT_TRUE(close(dh, finite_difference(in_score, load.score), {1e-8, 1e-6})) << K;
  }
}

TEST(LoadProbability, IsOneForAllWhenAllAreChosenAndCertainWithoutNoise) {
  const Load all{{2, 3, 3}, {1, 2, 3, 4, 5, 6}, Doubles(6, 0), {1, 2, 3, 4, 5, 6}};
  EXPECT_EQ(all.P(all.clean, all.spread, all.score), Doubles(6, 1));
  const Load sure{{1, 3, 1}, {1, 2, 3}, Doubles(3, -800), {1, 2, 3}};  // softplus underflows to 0
  EXPECT_EQ(sure.P(sure.clean, sure.spread, sure.score), (Doubles{0, 0, 1}));
  const double deviation = std::log1p(std::exp(-10.0));  // 4.5e-5 is none of the least
  const Load nearly{{1, 2, 1}, {1, 1 + deviation}, Doubles(2, -10), {1, 1}};
  EXPECT_NEAR(nearly.P(nearly.clean, nearly.spread, nearly.score)[1], 0.8413447460685429, 1e-9);
}

// Below the least deviation, 1e-6, the divisor is a constant: the noise gets no gradient, scores and thresholds do.
TYPED_TEST(Gates, TheLeastDeviationGivesTheNoiseNoGradient) {
  using T = TypeParam;
  const LoadShape s{1, 3, 1};
  const T least = T(1e-6), clean[] = {0, least, -least}, spread[] = {-20, -20, -20}, dP[] = {1, 2, 3};
  const Ints expert = {0, 1};
  const std::vector<T> score = {0, 0};
  each_version(
      load_probability_backward<T>,
      [&](auto& function, Context& ctx) {
        Output<T> dclean(3), dspread(3), dscore(3);
        function(ctx, dclean, dspread, dscore, dP, clean, spread, expert.data(), score.data(), s);
        std::vector<T> all = dspread.vector();
        for (const T d : dclean.vector()) all.push_back(d);
        for (const T d : dscore.vector()) all.push_back(d);
        return all;
      },
      [&](const std::vector<T>& d) {
        const double top = 1e6 / std::sqrt(2 * std::acos(-1.0)),
                     side = top * std::exp(-0.5);  // z = 0, z = ±1
        const std::vector<double> expected = {0, 0, 0, top, 2 * side, 3 * side, -5 * side, -top, 0};
        EXPECT_TRUE(close(d, cast<T>(expected), {0, 8 * kRounding<T>}));
      });
}

TYPED_TEST(Gates, UnitRowsHaveLengthOneAndZeroStaysZero) {
  using T = TypeParam;
  for (const std::int64_t R : kAwkward)
    for (const std::int64_t C : {1, 2, 33}) {
      auto x = random_normal<T>(R * C, 1);
      std::fill_n(x.begin(), C, T(0));
      std::vector<T> expected(R * C);
      for (std::int64_t i = 0; i < R * C; ++i) {
        double sum = 1e-12;
        for (std::int64_t c = 0; c < C; ++c) sum += std::pow(static_cast<double>(x[i / C * C + c]), 2);
        expected[i] = static_cast<T>(static_cast<double>(x[i]) / std::sqrt(sum));
      }
      each_version(
          unit_rows<T>,
          [&](auto& function, Context& ctx) {
            Output<T> y(R * C), r(R);
            function(ctx, y, r, x.data(), R, C);
            return y.vector();
          },
          [&](const std::vector<T>& y) {
            EXPECT_TRUE(close(y, expected, {kRounding<T>, kRounding<T>}));
          });
    }
}

TEST(GateGradients, OfUnitRowsAndTemperatureAreDifferences) {
  const std::int64_t R = 4, C = 3;
  const auto x = random_normal<double>(12, 1), c = random_normal<double>(12, 2);
  Context ctx;
  Doubles y(12), r(4), dx(12), dt(1), t = {0.7};
  const auto inner = [&](const Doubles& a) { return std::inner_product(a.begin(), a.end(), c.begin(), 0.0); };
  unit_rows<double>(ctx, y.data(), r.data(), x.data(), R, C);
  unit_rows_backward<double>(ctx, dx.data(), c.data(), y.data(), r.data(), R, C);
  const auto unit = [&](const Doubles& at) {
    Doubles out(12), scale(4);
    unit_rows<double>(ctx, out.data(), scale.data(), at.data(), R, C);
    return inner(out);
  };
  EXPECT_TRUE(close(dx, finite_difference(unit, x), {1e-8, 1e-6}));
  const auto warm = [&](const Doubles& at, const Doubles& temperature) {
    Doubles out(12);
    tempered<double>(ctx, out.data(), at.data(), temperature.data(), 12);
    return inner(out);
  };
  tempered<double>(ctx, y.data(), x.data(), t.data(), 12);
  tempered_backward<double>(ctx, dx.data(), dt.data(), c.data(), y.data(), t.data(), 12);
  EXPECT_TRUE(close(dx, finite_difference([&](const Doubles& at) { return warm(at, t); }, x), {1e-8, 1e-6}));
  EXPECT_TRUE(close(dt, finite_difference([&](const Doubles& at) { return warm(x, at); }, t), {1e-8, 1e-6}));
}

// At ln 100 the factor ends, and with it the gradient of the temperature; that of the scores goes on.
TYPED_TEST(Gates, BeyondItsEndTheTemperatureGetsNoGradient) {
  using T = TypeParam;
  const std::vector<T> x = {1, -2, 3}, dy = {1, 1, 2};
  for (const auto& [t, factor, dt] :
       {std::tuple{0.0, 1.0, 5.0}, {std::log(50.0), 50.0, 250.0}, {5.0, 100.0, 0.0}}) {
    const std::vector<T> at = {T(t)};
    std::vector<T> y;
    for (const T v : x) y.push_back(T(factor) * v);
    each_version(
        tempered_backward<T>,
        [&](auto& function, Context& ctx) {
          Output<T> dx(3), d(1);
          function(ctx, dx, d, dy.data(), y.data(), at.data(), 3);
          std::vector<T> all = dx.vector();
          all.push_back(d.vector()[0]);
          return all;
        },
        [&, factor = factor, dt = dt](const std::vector<T>& d) {
          EXPECT_TRUE(
              close(d, cast<T>(std::vector<double>{factor, factor, 2 * factor, dt}), {0, 8 * kRounding<T>}));
        });
  }
}

TYPED_TEST(Gates, ATemperatureOfNaNShows) {
  using T = TypeParam;
  Context ctx;
  const std::vector<T> x = {1, -2, 3}, t = {T(kNaN)};
  Output<T> y(3);
  tempered<T>(ctx, y, x.data(), t.data(), 3);
  for (const T v : y.vector()) EXPECT_TRUE(std::isnan(v));
}

TYPED_TEST(Gates, ReluChoosesThePositiveAndNaN) {
  using T = TypeParam;
  const std::vector<T> x = {-1, 0, 2, T(kNaN), -T(0), T(0.5)}, dy = {1, 2, 3, 4, 5, 6};
  Context ctx(2);
  Output<T> weight(6), dx(6);
  Output<std::int32_t> expert(6);
  relu_choice<T>(ctx, expert, weight, x.data(), 2, 3);
  relu_choice_backward<T>(ctx, dx, dy.data(), expert, 6);
  EXPECT_EQ(expert.vector(), (Ints{-1, -1, 2, 0, -1, 2}));
  EXPECT_TRUE(std::isnan(weight.vector()[3]));
  const auto w = weight.vector();
  EXPECT_EQ((std::vector<T>{w[0], w[1], w[2], w[4], w[5]}), (std::vector<T>{0, 0, 2, 0, T(0.5)}));
  EXPECT_EQ(dx.vector(), (std::vector<T>{0, 0, 3, 4, 0, 6}));
  relu_choice<T>(ctx, nullptr, nullptr, nullptr, 0, 3);
}

TYPED_TEST(Gates, TheCoefficientFollowsTheCounts) {
  using T = TypeParam;
  Context ctx;
  const Ints count = {1, 2, 3};
  for (const auto& [wanted, expected] : {std::pair{5.0, 8}, {6.0, 4}, {7.0, 2}}) {
    T coefficient = 4, factor;
    adapt_coefficient<T>(ctx, &coefficient, count.data(), wanted, 2, 3);
    EXPECT_EQ(coefficient, T(expected));
    load_factor<T>(ctx, &factor, &coefficient, count.data(), 12, 3);
    EXPECT_EQ(factor, T(expected) / 2);
    load_factor<T>(ctx, &factor, &coefficient, count.data(), 0, 3);
    EXPECT_EQ(factor, 0);
  }
  T high = T(9999), low = T(2e-12), small = T(1e-11);
  adapt_coefficient<T>(ctx, &small, count.data(), 100, 2, 3);
  EXPECT_EQ(small, T(5e-12)) << "1e-12 is the end";
  adapt_coefficient<T>(ctx, &high, count.data(), 1, 2, 3);
  for (int i = 0; i < 3; ++i) adapt_coefficient<T>(ctx, &low, count.data(), 100, 2, 3);
  EXPECT_EQ(high, T(1e4));
  EXPECT_EQ(low, T(1e-12));
}

}  // namespace
}  // namespace moe
