#include "kernels/balance_loss/balance_loss.hpp"

#include <cmath>
#include <numeric>

#include "tests/support/compare.hpp"
#include "tests/support/finite_difference.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace testing;

template <class T>
class BalanceLossTest : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(BalanceLossTest, Types);

// E · Σ f·P, word for word.
double oracle(const std::vector<double>& p, const std::vector<std::int32_t>& count, std::int64_t N) {
  const auto E = static_cast<std::int64_t>(count.size());
  const double assignments = std::accumulate(count.begin(), count.end(), 0.0);
  double loss = 0;
  for (std::int64_t e = 0; e < E; ++e) {
    double mean = 0;
    for (std::int64_t n = 0; n < N; ++n) mean += p[n * E + e] / static_cast<double>(N);
    loss += static_cast<double>(E) * count[e] / assignments * mean;
  }
  return loss;
}

std::vector<std::int32_t> some_counts(std::int64_t E) {
  std::vector<std::int32_t> count(E);
  for (std::int64_t e = 0; e < E; ++e) count[e] = static_cast<std::int32_t>(philox({.seed = 1}, e)[0] % 50);
  count[0] = 3;
  return count;
}

template <class T>
std::vector<T> one(T x) {
  return std::vector<T>(1, x);
}

TYPED_TEST(BalanceLossTest, MatchesTheDefinition) {
  using T = TypeParam;
  for (const std::int64_t E : kAwkward)
    for (const std::int64_t N : {1, 129, 5000}) {
      SCOPED_TRACE(concat(N, " x ", E));
      auto p = random_normal<T>(N * E, 2);
      for (T& x : p) x = std::abs(x);  // all of one sign: nothing cancels
      const auto count = some_counts(E);
      each_version(
          balance_loss<T>,
          [&](BalanceLoss<T>& f, Context& ctx) {
            Output<T> loss(1);
            f(ctx, loss, p.data(), count.data(), {N, E});
            return loss.vector();
          },
          [&](const std::vector<T>& loss) {
            EXPECT_TRUE(close(loss, one(T(oracle(cast<double>(p), count, N))), {0, kRounding<T>}));
          });
    }
}

TYPED_TEST(BalanceLossTest, PerfectBalanceGivesExactlyOneForAnyK) {
  using T = TypeParam;
  for (const std::int64_t E : {1, 8, 64})
    for (const std::int64_t K : {std::int64_t{1}, E}) {
      const std::int64_t N = 192;
      Context ctx(2);
      const std::vector<T> p(N * E, T(1) / static_cast<T>(E));
      const std::vector<std::int32_t> count(E, static_cast<std::int32_t>(N * K / E));
      Output<T> loss(1);
      balance_loss<T>(ctx, loss.data(), p.data(), count.data(), {N, E});
      EXPECT_TRUE(close(loss, one(T(1))));
    }
}

TYPED_TEST(BalanceLossTest, EverythingToOneExpertCostsE) {
  using T = TypeParam;
  Context ctx;
  std::vector<T> p(5 * 4, 0);
  for (int n = 0; n < 5; ++n) p[n * 4 + 2] = 1;
  const std::vector<std::int32_t> count = {0, 0, 5, 0};
  Output<T> loss(1);
  balance_loss<T>(ctx, loss.data(), p.data(), count.data(), {5, 4});
  EXPECT_TRUE(close(loss, one(T(4))));
}

TYPED_TEST(BalanceLossTest, NoTokensAndNoChoicesCostNothing) {
  using T = TypeParam;
  Context ctx;
  const std::vector<std::int32_t> none(4, 0);
  const std::vector<T> p(8, T(0.25)), dloss = {1};
  Output<T> a(1), b(1), c(1), dp(8);
  balance_loss<T>(ctx, a.data(), nullptr, none.data(), {0, 4});
  balance_loss<T>(ctx, b.data(), p.data(), none.data(), {2, 4});
  balance_loss_backward<T>(ctx, dp.data(), dloss.data(), none.data(), {2, 4}, false);
  z_loss<T>(ctx, c.data(), nullptr, 0);
  z_loss_backward<T>(ctx, nullptr, dloss.data(), nullptr, nullptr, 0, 4, false);
  for (Output<T>* loss : {&a, &b, &c}) EXPECT_TRUE(close(*loss, one(T(0))));
  EXPECT_TRUE(close(dp, std::vector<T>(8, 0)));
  EXPECT_THROW(balance_loss<T>(ctx, a.data(), p.data(), none.data(), {2, 1, 3}),
               Error);  // 2 tokens in 3 groups
}

TYPED_TEST(BalanceLossTest, BackwardIsTheLoadOfEachExpertWrittenAndAdded) {
  using T = TypeParam;
  for (const std::int64_t E : kAwkward)
    for (const bool accumulate : {false, true}) {
      const std::int64_t N = 1000;
      const auto count = some_counts(E);
      const double assignments = std::accumulate(count.begin(), count.end(), 0.0);
      const auto before = random_normal<T>(N * E, 3);
      const std::vector<T> dloss = {T(0.5)};
      std::vector<double> expected(N * E);
      for (std::int64_t i = 0; i < N * E; ++i)
        expected[i] = (accumulate ? double(before[i]) : 0) + 0.5 * E * count[i % E] / assignments / N;
      each_version(
          balance_loss_backward<T>,
          [&](BalanceLossBackward<T>& f, Context& ctx) {
            Output<T> dp(N * E);
            if (accumulate) std::copy(before.begin(), before.end(), dp.data());
            f(ctx, dp, dloss.data(), count.data(), {N, E}, accumulate);
            return dp.vector();
          },
          [&](const std::vector<T>& dp) {
            EXPECT_TRUE(close(dp, cast<T>(expected), {accumulate ? kRounding<T> / 4 : 0, kRounding<T>}));
          });
    }
}

TYPED_TEST(BalanceLossTest, ZLossOfEqualScoresIsTheSquaredLogOfE) {
  using T = TypeParam;
  Context ctx;
  const std::vector<T> lse(77, T(std::log(8.0)));  // logsumexp of eight zeros
  Output<T> loss(1);
  z_loss<T>(ctx, loss.data(), lse.data(), 77);
  EXPECT_TRUE(close(loss, one(T(std::log(8.0) * std::log(8.0))), {0, kRounding<T>}));
}

TYPED_TEST(BalanceLossTest, ZLossIsTheMeanSquare) {
  using T = TypeParam;
  for (const std::int64_t N : {1, 31, 33, 127, 129, 100001}) {
    const auto lse = random_integers<T>(N, 9, 4);
    double sum = 0;
    for (const T x : lse) sum += double(x) * double(x);
    each_version(
        z_loss<T>,
        [&](ZLoss<T>& f, Context& ctx) {
          Output<T> loss(1);
          f(ctx, loss, lse.data(), N);
          return loss.vector();
        },
        [&](const std::vector<T>& loss) { EXPECT_TRUE(close(loss, one(T(sum / double(N))))); });
  }
}

TYPED_TEST(BalanceLossTest, ZLossBackwardMatchesTheFormulaWrittenAndAdded) {
  using T = TypeParam;
  for (const std::int64_t E : kAwkward)
    for (const bool accumulate : {false, true}) {
      const std::int64_t N = 700;
      const auto p = random_normal<T>(N * E, 5), lse = random_normal<T>(N, 6),
                 before = random_normal<T>(N * E, 7);
      const std::vector<T> dloss = {T(-3)};
      std::vector<double> expected(N * E);
      for (std::int64_t i = 0; i < N * E; ++i)
        expected[i] = (accumulate ? double(before[i]) : 0) - 3.0 * 2 * double(lse[i / E]) / N * double(p[i]);
      each_version(
          z_loss_backward<T>,
          [&](ZLossBackward<T>& f, Context& ctx) {
            Output<T> dx(N * E);
            if (accumulate) std::copy(before.begin(), before.end(), dx.data());
            f(ctx, dx, dloss.data(), lse.data(), p.data(), N, E, accumulate);
            return dx.vector();
          },
          [&](const std::vector<T>& dx) {
            EXPECT_TRUE(close(dx, cast<T>(expected), {accumulate ? kRounding<T> / 4 : 0, kRounding<T>}));
          });
    }
}

TEST(BalanceLossBackward, AgreesWithFiniteDifferences) {
  Context ctx;
  const std::int64_t N = 4, E = 3;
  const auto p = random_normal<double>(N * E, 8);
  const std::vector<std::int32_t> count = {5, 0, 3};
  const double dloss = 2;
  std::vector<double> dp(N * E);
  balance_loss_backward<double>(ctx, dp.data(), &dloss, count.data(), {N, E}, false);
  const auto f = [&](const std::vector<double>& at) {
    double loss;
    balance_loss<double>(ctx, &loss, at.data(), count.data(), {N, E});
    return dloss * loss;
  };
  EXPECT_TRUE(close(dp, finite_difference(f, p), {1e-8, 1e-7}));
}

// Through the logits: logsumexp's derivative is the softmax, which the caller passes as `probability`.
TEST(ZLossBackward, AgreesWithFiniteDifferencesOfTheLogits) {
  Context ctx;
  const std::int64_t N = 4, E = 3;
  const auto logits = random_normal<double>(N * E, 9);
  const auto logsumexp_of = [&](const std::vector<double>& at) {
    std::vector<double> lse(N, 0);
    for (std::int64_t i = 0; i < N * E; ++i) lse[i / E] += std::exp(at[i]);
    for (double& x : lse) x = std::log(x);
    return lse;
  };
  const auto lse = logsumexp_of(logits);
  std::vector<double> p(N * E), dx(N * E);
  for (std::int64_t i = 0; i < N * E; ++i) p[i] = std::exp(logits[i] - lse[i / E]);
  const double dloss = 1;
  z_loss_backward<double>(ctx, dx.data(), &dloss, lse.data(), p.data(), N, E, false);
  const auto f = [&](const std::vector<double>& at) {
    double loss;
    z_loss<double>(ctx, &loss, logsumexp_of(at).data(), N);
    return loss;
  };
  EXPECT_TRUE(close(dx, finite_difference(f, logits), {1e-8, 1e-7}));
}

TYPED_TEST(BalanceLossTest, GroupsAreTheMeanOfTheirOwnLosses) {
  using T = TypeParam;
  const std::int64_t S = 3, E = 7;
  for (const std::int64_t tokens : {1, 33, 700}) {
    const std::int64_t N = S * tokens;
    auto p = random_normal<T>(N * E, 2);
    for (T& x : p) x = std::abs(x);
    const auto count = some_counts(S * E);
    double mean = 0;
    std::vector<double> gradient(N * E);
    for (std::int64_t g = 0; g < S; ++g) {
      const std::vector<std::int32_t> mine(count.begin() + g * E, count.begin() + (g + 1) * E);
      mean += oracle(cast<double>(std::vector<T>(p.begin() + g * tokens * E, p.end())), mine, tokens) / S;
      const double choices = std::accumulate(mine.begin(), mine.end(), 0.0);
      for (std::int64_t i = g * tokens * E; i < (g + 1) * tokens * E; ++i)
        gradient[i] = 0.5 * E * mine[i % E] / choices / N;
    }
    each_version(
        balance_loss<T>,
        [&](BalanceLoss<T>& f, Context& ctx) {
          Output<T> loss(1);
          f(ctx, loss, p.data(), count.data(), {N, E, S});
          return loss.vector();
        },
        [&](const std::vector<T>& loss) {
          EXPECT_TRUE(close(loss, one(T(mean)), {0, kRounding<T>}));
        });
    const std::vector<T> dloss = {T(0.5)};
    each_version(
        balance_loss_backward<T>,
        [&](BalanceLossBackward<T>& f, Context& ctx) {
          Output<T> dp(N * E);
          f(ctx, dp, dloss.data(), count.data(), {N, E, S}, false);
          return dp.vector();
        },
        [&](const std::vector<T>& dp) {
          EXPECT_TRUE(close(dp, cast<T>(gradient), {0, kRounding<T>}));
        });
  }
}

}  // namespace
}  // namespace moe
