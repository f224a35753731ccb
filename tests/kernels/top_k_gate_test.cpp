#include "kernels/top_k_gate/top_k_gate.hpp"

#include "kernels/choice/choice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/support/numeric.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace moe::testing;

using Experts = std::vector<std::int32_t>;

template <class T>
constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
template <class T>
constexpr T kInf = std::numeric_limits<T>::infinity();

template <class T>
struct Chosen {
  Experts expert;
  std::vector<T> weight;
};

template <class T>
Chosen<T> run(const Version<TopKGate<T>>& version, const std::vector<T>& score, const TopKShape& s,
              int threads = 1) {
  Context ctx(threads);
  Output<std::int32_t> expert(s.N * s.K);
  Output<T> weight(s.N * s.K);
  version.function(ctx, expert, weight, score.data(), s);
  return {expert.vector(), weight.vector()};
}

// Bit for bit, NaN included.
template <class T>
void expect_row(const std::vector<T>& score, std::int64_t K, const Experts& expert,
                const std::vector<T>& weight, bool renormalise = false) {
  for (const auto& version : versions_here(top_k_gate<T>)) {
    SCOPED_TRACE(version.name);
    const Chosen<T> actual =
        run<T>(version, score, {1, static_cast<std::int64_t>(score.size()), K, renormalise});
    EXPECT_EQ(actual.expert, expert);
    ASSERT_EQ(actual.weight.size(), weight.size());
    for (std::size_t k = 0; k < weight.size(); ++k)
      EXPECT_TRUE(actual.weight[k] == weight[k] || (std::isnan(actual.weight[k]) && std::isnan(weight[k])))
          << "weight " << k << " is " << actual.weight[k] << ", expected " << weight[k];
  }
}

template <class T>
Chosen<T> oracle(const std::vector<T>& score, const TopKShape& s) {
  Chosen<T> out;
  for (std::int64_t n = 0; n < s.N; ++n) {
    Experts order(s.E);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return score[n * s.E + a] > score[n * s.E + b]; });
    double sum = 0;
    for (std::int64_t k = 0; k < s.K; ++k) sum += score[n * s.E + order[k]];
    for (std::int64_t k = 0; k < s.K; ++k) {
      out.expert.push_back(order[k]);
      out.weight.push_back(static_cast<T>(score[n * s.E + order[k]] / (s.renormalise ? sum : 1)));
    }
  }
  return out;
}

template <class T>
struct TopKGateTest : ::testing::Test {};
TYPED_TEST_SUITE(TopKGateTest, Floats);

TYPED_TEST(TopKGateTest, AgreesWithASortForEverySizeAndK) {
  using T = TypeParam;
  for (const std::int64_t E : {1, 2, 31, 32, 33, 64, 127})
    for (const std::int64_t K : {std::int64_t{1}, std::int64_t{2}, std::int64_t{8}, E - 1, E})
      for (const bool renormalise : {false, true}) {
        if (K < 1 || K > E) continue;
        const TopKShape s{33, E, K, renormalise};
        SCOPED_TRACE(concat("E ", E, " K ", K, renormalise ? " renormalised" : ""));
        std::vector<T> score = random_integers<T>(s.N * E, 20, 5);  // many ties
        for (T& x : score) x = (x + 21) / 64;
        const Chosen<T> expected = oracle(score, s);
        for (const auto& version : versions_here(top_k_gate<T>))
          for (const int threads : kThreadCounts) {
            const Chosen<T> actual = run(version, score, s, threads);
            EXPECT_TRUE(close(actual.expert, expected.expert)) << version.name << ' ' << threads;
            EXPECT_TRUE(close(actual.weight, expected.weight, renormalise ? kSumRounding<T> : kExact))
                << version.name;
          }
      }
}

TYPED_TEST(TopKGateTest, GivesTheSameBytesForAnyThreadCount) {
  using T = TypeParam;
  const TopKShape s{5000, 64, 4, true};  // many chunks
  std::vector<T> score = random_normal<T>(s.N * s.E, 6), dweight = random_normal<T>(s.N * s.K, 7);
  for (T& x : score) x = x * x;
  for (std::size_t i = 0; i < versions_here(top_k_gate<T>).size(); ++i) {
    const Chosen<T> one = run(versions_here(top_k_gate<T>)[i], score, s, 1);
    std::vector<T> first;
    for (const int threads : kThreadCounts) {
      const Chosen<T> many = run(versions_here(top_k_gate<T>)[i], score, s, threads);
      EXPECT_EQ(many.expert, one.expert);
      EXPECT_TRUE(same_bytes(many.weight, one.weight));
      Context ctx(threads);
      Output<T> dscore(s.N * s.E);
      weigh_choice_backward<T>(ctx, dscore, dweight.data(), score.data(), one.expert.data(),
                               {s.N, s.E, s.K, s.renormalise});
      if (first.empty()) first = dscore.vector();
      EXPECT_TRUE(same_bytes(dscore.vector(), first));
    }
  }
}

TYPED_TEST(TopKGateTest, TiesGoToTheLowerExpert) {
  using T = TypeParam;
  expect_row<T>({.25, .25, .25, .25}, 2, {0, 1}, {.25, .25});
  expect_row<T>({.125, .5, .25, .5, .25}, 3, {1, 3, 2}, {.5, .5, .25});
  expect_row<T>({0, -T(0), 0}, 2, {0, 1}, {0, 0});
}

TYPED_TEST(TopKGateTest, ExpertsStandInOrderOfFallingScore) {
  expect_row<TypeParam>({.125, .5, .25, .75}, 3, {3, 1, 2}, {.75, .5, .25});
}

TYPED_TEST(TopKGateTest, ChoosesAllExpertsWhenKIsE) {
  expect_row<TypeParam>({1, 4, 2}, 3, {1, 2, 0}, {4, 2, 1});
  expect_row<TypeParam>({3}, 1, {0}, {3});
}

TYPED_TEST(TopKGateTest, DoesNothingForNoTokens) {
  for (const auto& version : versions_here(top_k_gate<TypeParam>))
    EXPECT_TRUE(run<TypeParam>(version, {}, {0, 4, 2, true}).expert.empty());
}

TYPED_TEST(TopKGateTest, NumbersComeBeforeNaN) {
  using T = TypeParam;
  expect_row<T>({kNaN<T>, 1, 2}, 2, {2, 1}, {2, 1});
  expect_row<T>({1, kNaN<T>, 2}, 2, {2, 0}, {2, 1});
  expect_row<T>({1, 2, kNaN<T>}, 2, {1, 0}, {2, 1});
  expect_row<T>({kNaN<T>, -kInf<T>, kNaN<T>}, 2, {1, 0}, {-kInf<T>, kNaN<T>});
  expect_row<T>({kNaN<T>, kNaN<T>, 3, kNaN<T>}, 3, {2, 0, 1}, {3, kNaN<T>, kNaN<T>});
}

TYPED_TEST(TopKGateTest, ARowOfNaNYieldsTheFirstExpertsWithNaNWeights) {
  using T = TypeParam;
  for (const bool renormalise : {false, true})
    expect_row<T>(std::vector<T>(33, kNaN<T>), 3, {0, 1, 2}, {kNaN<T>, kNaN<T>, kNaN<T>}, renormalise);
}

TYPED_TEST(TopKGateTest, ANaNAmongTheChosenSpoilsARenormalisedRow) {
  expect_row<TypeParam>({1, kNaN<TypeParam>}, 2, {0, 1}, {kNaN<TypeParam>, kNaN<TypeParam>}, true);
}

// Routers close an expert by a score of -inf; it is taken only when nothing else is left.
TYPED_TEST(TopKGateTest, MinusInfinityComesLastButBeforeNaN) {
  using T = TypeParam;
  expect_row<T>({-kInf<T>, -5, -kInf<T>, -7}, 2, {1, 3}, {-5, -7});
  expect_row<T>({-kInf<T>, -5, -kInf<T>}, 2, {1, 0}, {-5, -kInf<T>});
  expect_row<T>({-kInf<T>, -kInf<T>}, 1, {0}, {-kInf<T>});
}

// 1/49·49 is not 1 in floating point: the weight of a single renormalised expert must be.
TYPED_TEST(TopKGateTest, OneRenormalisedExpertHasWeightOneAndNoGradient) {
  using T = TypeParam;
  constexpr std::int64_t N = 1000;
  std::vector<T> score(N * 2), dweight = random_normal<T>(N, 3);
  for (std::int64_t n = 0; n < N; ++n) score[2 * n] = T(n + 1) / T(N), score[2 * n + 1] = 0;
  for (std::size_t i = 0; i < versions_here(top_k_gate<T>).size(); ++i) {
    const Chosen<T> actual = run<T>(versions_here(top_k_gate<T>)[i], score, {N, 2, 1, true});
    EXPECT_TRUE(close(actual.weight, std::vector<T>(N, 1)));
    Context ctx;
    Output<T> dscore(2 * N);
    weigh_choice_backward<T>(ctx, dscore, dweight.data(), score.data(), actual.expert.data(),
                             {N, 2, 1, true});
    EXPECT_TRUE(close(dscore, std::vector<T>(2 * N, 0)));
  }
}

TYPED_TEST(TopKGateTest, AZeroSumGivesZeroWeightsAndFiniteGradients) {
  using T = TypeParam;
  expect_row<T>({0, 0, 0}, 2, {0, 1}, {0, 0}, true);
  const std::vector<T> score = {0, 0, 0}, dweight = {1, -2};
  const Experts expert = {0, 1};
  for (const auto& version : versions_here(weigh_choice_backward<T>)) {
    Context ctx;
    Output<T> dscore(3);
    version.function(ctx, dscore, dweight.data(), score.data(), expert.data(), {1, 3, 2, true});
    for (const T x : dscore.span()) EXPECT_TRUE(std::isfinite(x)) << x;
  }
}

// Zero where not chosen, and the weights' gradients where chosen: by hand, without renormalising.
TYPED_TEST(TopKGateTest, TheGradientReachesTheChosenOnly) {
  using T = TypeParam;
  const std::vector<T> score = {1, 3, 2, 0, 5, 6, 4, 7}, dweight = {10, 20, 30, 40};
  const Experts expert = {1, 2, 3, 1};
  for (const auto& version : versions_here(weigh_choice_backward<T>)) {
    Context ctx;
    Output<T> dscore(8);
    version.function(ctx, dscore, dweight.data(), score.data(), expert.data(), {2, 4, 2, false});
    EXPECT_TRUE(close(dscore, {0, 10, 20, 0, 0, 40, 0, 30})) << version.name;
  }
}

TEST(TopKGate, GradientsAreFiniteDifferences) {
  for (const std::int64_t K : {1, 2, 5})
    for (const bool renormalise : {false, true})
      for (std::size_t i = 0; i < versions_here(top_k_gate<double>).size(); ++i) {
        SCOPED_TRACE(concat("K ", K, renormalise ? " renormalised" : ""));
        const TopKShape s{3, 5, K, renormalise};
        std::vector<double> score = random_normal<double>(15, 8);
        for (double& x : score) x = 0.1 + std::abs(x);
        const std::vector<double> dweight = random_normal<double>(3 * K, 9);
        const auto loss = [&] {
          return inner(run(versions_here(top_k_gate<double>)[i], score, s).weight, dweight);
        };
        const Experts expert = run(versions_here(top_k_gate<double>)[i], score, s).expert;
        Context ctx;
        Output<double> dscore(15);
        weigh_choice_backward<double>(ctx, dscore, dweight.data(), score.data(), expert.data(),
                                      {s.N, s.E, s.K, s.renormalise});
        EXPECT_TRUE(close(dscore, differences_at(score, loss), kDifference));
      }
}

TEST(TopKGate, RefusesKOutsideOneToE) {
  Context ctx;
  std::vector<float> score(4), weight(8);
  Experts expert(8);
  EXPECT_THROW(top_k_gate<float>(ctx, expert.data(), weight.data(), score.data(), {1, 4, 0, false}), Error);
  EXPECT_THROW(top_k_gate<float>(ctx, expert.data(), weight.data(), score.data(), {1, 4, 5, false}), Error);
}

// Odd rows have NaN first, two numbers, and -infinity elsewhere; the even ones, between them, are ordinary.
TYPED_TEST(TopKGateTest, UnusualRowsMayStandAnywhereAmongOthers) {
  using T = TypeParam;
  const TopKShape s{33, 33, 3, false};
  std::vector<T> score, weight;
  Experts expert;
  for (std::int32_t n = 0; n < 33; ++n) {
    for (std::int32_t e = 0; e < 33; ++e)
      score.push_back(n % 2 == 0 ? T(e) / 64
                      : e == 0   ? kNaN<T>
                      : e == n   ? T(0.5)
                      : e == 32  ? T(0.25)
                                 : -kInf<T>);
    const std::int32_t closed = n == 1 ? 2 : 1;
    expert.insert(expert.end(), {n % 2 ? n : 32, n % 2 ? 32 : 31, n % 2 ? closed : 30});
    weight.insert(weight.end(),
                  {n % 2 ? T(0.5) : T(32) / 64, n % 2 ? T(0.25) : T(31) / 64, n % 2 ? -kInf<T> : T(30) / 64});
  }
  for (const auto& version : versions_here(top_k_gate<T>)) {
    const Chosen<T> actual = run(version, score, s);
    EXPECT_EQ(actual.expert, expert) << version.name;
    EXPECT_EQ(actual.weight, weight) << version.name;
  }
}

}  // namespace
}  // namespace moe
