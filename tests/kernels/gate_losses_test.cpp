#include "kernels/gate_losses/gate_losses.hpp"

#include <cmath>

#include "tests/support/compare.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace testing;
using Ints = std::vector<std::int32_t>;

template <class T>
class GateLossesTest : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GateLossesTest, Types);

template <class T>
struct Problem {
  GateLossShape s;
  std::vector<T> probability, logsumexp;
  Ints expert;
};

// count, then balance and z, word for word.
template <class T>
std::vector<double> oracle(const Problem<T>& p) {
  const auto [N, E, K] = p.s;
  std::vector<double> result(static_cast<std::size_t>(E), 0);
  double choices = 0, balance = 0, z = 0;
  for (const std::int32_t e : p.expert)
    if (0 <= e && e < E) ++result[e], ++choices;
  for (std::int64_t e = 0; e < E && choices > 0; ++e) {
    double sum = 0;
    for (std::int64_t n = 0; n < N; ++n) sum += p.probability[n * E + e];
    balance += static_cast<double>(E) * (result[e] / choices) * (sum / static_cast<double>(N));
  }
  for (const T x : p.logsumexp) z += static_cast<double>(x) * static_cast<double>(x);
  if (N > 0) z /= static_cast<double>(N);
  result.insert(result.end(), {balance, z});
  return result;
}

template <class T>
void expect_losses(const Problem<T>& p, Tolerance tolerance) {
  SCOPED_TRACE(concat("N ", p.s.N, " E ", p.s.E, " K ", p.s.K));
  each_version(
      gate_losses<T>,
      [&](GateLosses<T>& f, Context& ctx) {
        Output<std::int32_t> count(p.s.E);
        Output<T> balance(1), z(1);
        f(ctx, count, balance, z, p.probability.data(), p.logsumexp.data(), p.expert.data(), p.s);
        std::vector<double> all(count.span().begin(), count.span().end());
        all.insert(all.end(), {static_cast<double>(*balance.data()), static_cast<double>(*z.data())});
        return all;
      },
      [&](const std::vector<double>& all) { EXPECT_TRUE(close(all, oracle(p), tolerance)); });
}

template <class T>
Problem<T> some(const GateLossShape& s) {
  Problem<T> p{s, random_normal<T>(s.N * s.E, 1), random_normal<T>(s.N, 2), {}};
  for (T& x : p.probability) x = std::abs(x);  // all of one sign: nothing cancels
  for (std::int64_t i = 0; i < s.N * s.K; ++i)
    p.expert.push_back(static_cast<std::int32_t>(philox({.seed = 3}, i)[0] % (s.E + 2)) - 1);
  return p;
}

TYPED_TEST(GateLossesTest, MatchTheDefinitions) {
  using T = TypeParam;
  for (const std::int64_t N : {0, 1, 31, 33, 127, 4200})  // the last: several chunks from E = 8 on
    for (const std::int64_t E : {1, 8, 33, 129})
      for (const std::int64_t K : {1, 3})
        expect_losses(some<T>({N, E, K}), {1e-12, sizeof(T) == 4 ? 1e-6 : 1e-12});  // sums are in double
}

TYPED_TEST(GateLossesTest, OneExpertForAllCostsE) {
  using T = TypeParam;
  Problem<T> p{{200, 8, 2}, std::vector<T>(1600, 0), std::vector<T>(200, 0), Ints(400, 5)};
  for (std::int64_t n = 0; n < 200; ++n) p.probability[n * 8 + 5] = 1;
  expect_losses(p, kExact);
  EXPECT_EQ(oracle(p)[8], 8);
}

TYPED_TEST(GateLossesTest, PerfectBalanceCostsOneForAnyK) {
  using T = TypeParam;
  for (const std::int64_t K : {1, 2, 4}) {
    Problem<T> p{{64, 4, K}, std::vector<T>(256, T(0.25)), std::vector<T>(64, 2), {}};
    for (std::int64_t i = 0; i < 64 * K; ++i) p.expert.push_back(static_cast<std::int32_t>(i % 4));
    expect_losses(p, kExact);
    EXPECT_EQ(oracle(p)[4], 1);
    EXPECT_EQ(oracle(p)[5], 4);
  }
}

TYPED_TEST(GateLossesTest, WithoutChoicesTheBalanceIsZero) {
  using T = TypeParam;
  Problem<T> p = some<T>({33, 5, 2});
  p.expert.assign(66, -1);
  expect_losses(p, {1e-12, sizeof(T) == 4 ? 1e-6 : 1e-12});
}

}  // namespace
}  // namespace moe
