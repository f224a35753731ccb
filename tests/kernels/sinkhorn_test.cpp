#include "kernels/sinkhorn/sinkhorn.hpp"

#include <cmath>
#include <limits>

#include "tests/support/numeric.hpp"
#include "tests/support/on_device.hpp"

namespace moe {
namespace {

using namespace testing;

// As on paper, in double: scale every column, then every row.
std::vector<double> oracle(const std::vector<double>& score, std::int64_t N, std::int64_t E,
                           std::int64_t iterations) {
  std::vector<double> p(score.size());
  const auto scale_rows = [&] {
    for (std::int64_t n = 0; n < N; ++n) {
      double sum = 0;
      for (std::int64_t e = 0; e < E; ++e) sum += p[n * E + e];
      for (std::int64_t e = 0; e < E; ++e) p[n * E + e] /= sum;
    }
  };
  for (std::size_t i = 0; i < p.size(); ++i) p[i] = std::exp(score[i]);
  scale_rows();
  for (std::int64_t i = 0; i < iterations; ++i) {
    for (std::int64_t e = 0; e < E; ++e) {
      double sum = 0;
      for (std::int64_t n = 0; n < N; ++n) sum += p[n * E + e];
      for (std::int64_t n = 0; n < N; ++n)
        p[n * E + e] *= static_cast<double>(N) / static_cast<double>(E) / sum;
    }
    scale_rows();
  }
  return p;
}

template <class T>
std::vector<T> run(Sinkhorn<T>& f, Context& ctx, const std::vector<T>& x, std::int64_t N, std::int64_t E,
                   std::int64_t iterations) {
  Output<T> y(N * E);
  f(ctx, y, x.data(), N, E, iterations);
  return y.vector();
}

double worst_column(const std::vector<double>& p, std::int64_t N, std::int64_t E) {
  double worst = 0;
  for (std::int64_t e = 0; e < E; ++e) {
    double sum = 0;
    for (std::int64_t n = 0; n < N; ++n) sum += p[n * E + e];
    worst = std::max(worst, std::abs(sum * static_cast<double>(E) / static_cast<double>(N) - 1));
  }
  return worst;
}

template <class T>
class SinkhornTest : public ::testing::Test {};
TYPED_TEST_SUITE(SinkhornTest, Floats);

TYPED_TEST(SinkhornTest, MatchesTheDefinition) {
  using T = TypeParam;
  for (const std::int64_t E : {1, 2, 8, 31, 32, 33, 129})
    for (const std::int64_t N : {0, 1, 31, 33, 127, 300})
      for (const std::int64_t iterations : {0, 1, 5}) {
        SCOPED_TRACE(concat(N, " x ", E, ", ", iterations, " iterations"));
        const auto x = random_normal<T>(N * E, 1);
        each_version(
            sinkhorn<T>, [&](Sinkhorn<T>& f, Context& ctx) { return run(f, ctx, x, N, E, iterations); },
            [&](const std::vector<T>& y) {
              EXPECT_TRUE(close(y, cast<T>(oracle(cast<double>(x), N, E, iterations)),
                                {10 * kRounding<T>, 10 * kRounding<T>}));
            });
      }
}

// exp(score) = (1 2; 1 1): u, v with rows of 1 and columns of 1 leave (1-p p; p 1-p), p/(1-p) = sqrt(2).
TYPED_TEST(SinkhornTest, ByHand) {
  using T = TypeParam;
  const std::vector<T> x = {0, static_cast<T>(std::log(2.0)), 0, 0};
  const double p = std::sqrt(2.0) / (1 + std::sqrt(2.0));
  each_version(
      sinkhorn<T>, [&](Sinkhorn<T>& f, Context& ctx) { return run(f, ctx, x, 2, 2, 50); },
      [&](const std::vector<T>& y) {
        EXPECT_TRUE(close(y, cast<T>(std::vector<double>{1 - p, p, p, 1 - p}), {kRounding<T>, 0}));
      });
}

TEST(SinkhornBalance, ColumnsComeToTheSameSum) {
  Context ctx;
  for (const std::int64_t E : {2, 8, 32}) {
    std::vector<double> x = random_normal<double>(1024 * E, 2);
    for (std::int64_t n = 0; n < 1024; ++n) x[n * E] += 3;  // a favourite
    EXPECT_GT(worst_column(run(*sinkhorn<double>.versions()[0].function, ctx, x, 1024, E, 0), 1024, E), 0.5);
    EXPECT_LT(worst_column(run(*sinkhorn<double>.versions()[0].function, ctx, x, 1024, E, 20), 1024, E),
              1e-4);
  }
}

TYPED_TEST(SinkhornTest, ScoresFarApartStayNumbers) {
  using T = TypeParam;
  std::vector<T> x = random_normal<T>(65 * 8, 3);
  for (std::int64_t n = 0; n < 65; ++n) {
    x[n * 8] += 500;                                     // nobody can be drawn away from it
    x[n * 8 + 7] = -std::numeric_limits<T>::infinity();  // and nobody may go there
  }
  each_version(
      sinkhorn<T>, [&](Sinkhorn<T>& f, Context& ctx) { return run(f, ctx, x, 65, 8, 20); },
      [&](const std::vector<T>& y) {
        for (std::int64_t n = 0; n < 65; ++n) {
          double sum = 0;
          for (std::int64_t e = 0; e < 8; ++e) sum += y[n * 8 + e];
          EXPECT_NEAR(sum, 1, 1e-5);
          EXPECT_EQ(y[n * 8 + 7], 0);
        }
      });
}

// Rows that cannot be balanced: NaN, all -infinity, +infinity. The others are as if they were not there, but for N.
TYPED_TEST(SinkhornTest, NaNStaysInItsRow) {
  using T = TypeParam;
  constexpr T kInf = std::numeric_limits<T>::infinity();
  for (const std::int64_t E : {3, 40}) {
    auto x = random_normal<T>(9 * E, 4);
    std::vector<double> clean;
    for (std::int64_t n = 0; n < 9; ++n)
      if (n != 2 && n != 5 && n != 8) clean.insert(clean.end(), x.begin() + n * E, x.begin() + (n + 1) * E);
    x[2 * E + 1] = NAN;
    std::fill_n(x.begin() + 5 * E, E, -kInf);
    x[8 * E + E - 1] = kInf;
    const auto expected = oracle(clean, 6, E, 7);
    each_version(
        sinkhorn<T>, [&](Sinkhorn<T>& f, Context& ctx) { return run(f, ctx, x, 9, E, 7); },
        [&](const std::vector<T>& y) {
          std::vector<T> kept;
          for (std::int64_t n = 0; n < 9; ++n)
            for (std::int64_t e = 0; e < E; ++e)
              if (n == 2 || n == 5 || n == 8)
                EXPECT_TRUE(std::isnan(y[n * E + e])) << n;
              else
                kept.push_back(y[n * E + e]);
          EXPECT_TRUE(close(kept, cast<T>(expected), {10 * kRounding<T>, 10 * kRounding<T>}));
        });
  }
}

TEST(SinkhornOnDevices, InPlaceWithGuardZones) {
  for (const std::int64_t N : {0, 1, 33, 129})
    every_device([&](Context& ctx) {
      const auto x = random_normal<float>(N * 33, 5);
      OnDevice<float> y(ctx, x);
      sinkhorn<float>(ctx, y, y, N, 33, 3);
      EXPECT_TRUE(close(y.vector(), cast<float>(oracle(cast<double>(x), N, 33, 3)), {4e-5, 4e-5}));
    });
}

}  // namespace
}  // namespace moe
