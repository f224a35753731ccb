#include "kernels/choice/choice.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "tests/support/numeric.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace moe::testing;

using Ints = std::vector<std::int32_t>;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// K different experts a token, every fifth choice dropped by -1 and every seventh by E.
Ints choices(std::int64_t N, std::int64_t E, std::int64_t K) {
  Ints expert;
  for (std::int64_t n = 0; n < N; ++n)
    for (std::int64_t k = 0; k < K; ++k) {
      const std::int64_t i = n * K + k;
      expert.push_back(static_cast<std::int32_t>(i % 5 == 3 ? -1 : i % 7 == 5 ? E : (3 * n + k) % E));
    }
  return expert;
}

template <class T>
std::vector<T> positive(std::int64_t n, std::uint64_t seed) {
  auto x = random_normal<T>(n, seed);
  for (T& v : x) v = std::abs(v);
  return x;
}

template <class T>
std::vector<double> weights_by_hand(const std::vector<T>& score, const Ints& expert, const ChoiceShape& s) {
  std::vector<double> w(expert.size(), 0);
  for (std::int64_t n = 0; n < s.N; ++n) {
    double sum = 0;
    for (std::int64_t i = n * s.K; i < (n + 1) * s.K; ++i)
      if (0 <= expert[i] && expert[i] < s.E) sum += w[i] = static_cast<double>(score[n * s.E + expert[i]]);
    for (std::int64_t i = n * s.K; i < (n + 1) * s.K; ++i)
      w[i] *= s.renormalise ? s.scale / std::max(sum, 1e-20) : s.scale;
  }
  return w;
}

template <class T>
class Choice : public ::testing::Test {};
TYPED_TEST_SUITE(Choice, Floats);

TYPED_TEST(Choice, WeighsWhatIsKept) {
  using T = TypeParam;
  for (const std::int64_t N : {0, 1, 31, 32, 33, 127, 129})
    for (const auto& [E, K] : {std::pair{1, 1}, {4, 4}, {33, 3}})
      for (const bool renormalise : {false, true}) {
        const ChoiceShape s{N, E, K, renormalise, 2.5};
        const auto score = positive<T>(N * E, 1);
        const Ints expert = choices(N, E, K);
        each_version(
            weigh_choice<T>,
            [&](auto& function, Context& ctx) {
              Output<T> w(N * K);
              function(ctx, w, score.data(), expert.data(), s);
              return w.vector();
            },
            [&](const std::vector<T>& w) {
              EXPECT_TRUE(close(w, cast<T>(weights_by_hand(score, expert, s)), {0, kRounding<T>}));
            });
      }
}

TEST(ChoiceKernels, GradientsOfWeightsAgreeWithDifferences) {
  for (const bool renormalise : {false, true}) {
    const ChoiceShape s{7, 5, 3, renormalise, 1.5};
    auto score = positive<double>(35, 2);
    const auto dweight = random_normal<double>(21, 3);
    const Ints expert = choices(7, 5, 3);
    Context ctx;
    Output<double> dscore(35);
    weigh_choice_backward<double>(ctx, dscore, dweight.data(), score.data(), expert.data(), s);
    const auto loss = [&] {
      const auto w = weights_by_hand(score, expert, s);
      return std::inner_product(w.begin(), w.end(), dweight.begin(), 0.0);
    };
    EXPECT_TRUE(close(dscore, differences_at(score, loss), kDifference));
  }
}

// Sigmoids of very negative scores: the least sum stands in, and is a constant of the gradient.
TEST(ChoiceKernels, VanishingScoresGiveFiniteWeightsAndGradients) {
  Context ctx;
  const ChoiceShape s{1, 2, 2};
  const std::vector<double> score = {1e-22, 0}, dweight = {1, 2};
  const Ints expert = {0, 1};
  Output<double> w(2), d(2);
  weigh_choice<double>(ctx, w, score.data(), expert.data(), s);
  weigh_choice_backward<double>(ctx, d, dweight.data(), score.data(), expert.data(), s);
  EXPECT_TRUE(close(w, {1e-2, 0}, {0, 1e-12}));
  EXPECT_TRUE(close(d, {1e20, 2e20}, {0, 1e-12}));
}

TYPED_TEST(Choice, KeepsTheSecondWithTwiceItsWeight) {
  using T = TypeParam;
  constexpr std::int64_t N = 20000;
  std::vector<T> weight;
  Ints expert;
  for (std::int64_t n = 0; n < N; ++n) {
    weight.insert(weight.end(), {T(0.8), n % 2 ? T(0.2) : T(0.5)});
    expert.insert(expert.end(), {3, 5});
  }
  const RngKey key{.seed = 9, .purpose = Purpose::router_noise};
  each_version(
      keep_by_chance<T>,
      [&](auto& function, Context& ctx) {
        Output<std::int32_t> kept(2 * N);
        function(ctx, kept, expert.data(), weight.data(), key, 0, N, 2);
        return kept.vector();
      },
      [&](const Ints& kept) {
        int unlikely = 0;
        for (std::int64_t n = 0; n < N; ++n) {
          EXPECT_EQ(kept[2 * n], 3);
          if (n % 2 == 0) {
            EXPECT_EQ(kept[2 * n + 1], 5);  // probability 1
          }
          unlikely += n % 2 && kept[2 * n + 1] == 5;
        }
        EXPECT_NEAR(unlikely, 4000, 5 * std::sqrt(10000 * 0.4 * 0.6));
        Context ctx;  // a batch split in two draws the same, by the global index of its tokens
        Ints rest(2 * (N - 77));
        keep_by_chance<T>(ctx, rest.data(), expert.data() + 154, weight.data() + 154, key, 77, N - 77, 2);
        EXPECT_EQ(rest, Ints(kept.begin() + 154, kept.end()));
      });
}

// Even a first choice of little weight; the others by draws of their own.
TYPED_TEST(Choice, TheFirstStaysAndEveryOtherHasItsOwnDraw) {
  using T = TypeParam;
  Context ctx;
  const RngKey key{.seed = 3, .purpose = Purpose::router_noise};
  Ints expert, expected;
  std::vector<T> weight;
  for (std::int32_t n = 0; n < 200; ++n)
    for (std::int32_t k = 0; k < 4; ++k) {
      expert.push_back(4 * n + k);
      weight.push_back(T(0.25));
      const bool drawn =
          to_uniform(philox(key, 50 + static_cast<std::uint64_t>(n))[static_cast<std::size_t>(k)]) < 0.5f;
      expected.push_back(k == 0 || drawn ? 4 * n + k : -1);
    }
  Output<std::int32_t> kept(800);
  keep_by_chance<T>(ctx, kept, expert.data(), weight.data(), key, 50, 200, 4);
  EXPECT_EQ(kept.vector(), expected);
  EXPECT_THROW(keep_by_chance<T>(ctx, kept, expert.data(), weight.data(), key, 0, 1, 5), Error);
}

TEST(ChoiceKernels, HashGivesAnIdItsOwnDistinctExpertsEvenly) {
  for (const auto& [E, K] : {std::pair{1, 1}, {2, 2}, {8, 2}, {33, 3}}) {
    Ints id(4000);
    for (int i = 0; i < 4000; ++i) id[i] = i % 2000;
    each_version(
        hash_choice,
        [&, E = E, K = K](auto& function, Context& ctx) {
          Output<std::int32_t> expert(4000 * K);
          function(ctx, expert, id.data(), {.seed = 1}, {4000, E, K});
          return expert.vector();
        },
        [&, E = E, K = K](const Ints& expert) {
          EXPECT_TRUE(std::equal(expert.begin(), expert.begin() + 2000 * K, expert.begin() + 2000 * K));
          std::vector<int> count(E);
          for (int n = 0; n < 2000; ++n) {
            const std::set<int> distinct(expert.begin() + n * K, expert.begin() + (n + 1) * K);
            EXPECT_EQ(static_cast<int>(distinct.size()), K);
            for (const int e : distinct) ++count.at(e);
          }
          const double mean = 2000.0 * K / E;
          for (const int c : count) EXPECT_NEAR(c, mean, 5 * std::sqrt(mean));
        });
  }
}

// Six experts in three groups; the bias lifts a group whose scores alone would lose.
TYPED_TEST(Choice, BiasAndGroupsLimitWhatCanBeChosen) {
  using T = TypeParam;
  constexpr T inf = std::numeric_limits<T>::infinity();
  const std::vector<T> score = {4, 0, 3, 3, 1, 1}, bias = {0, 0, 0, 0, 2, 0}, none(6, 0), equal(6, 1);
  const auto biased = [&](const std::vector<T>& s, const std::vector<T>& b, GroupLimit limit) {
    Context ctx;
    Output<T> out(6);
    biased_score<T>(ctx, out, s.data(), b.data(), limit, {1, 6, 2});
    return out.vector();
  };
  EXPECT_EQ(biased(score, bias, {1, 1}), (std::vector<T>{4, 0, 3, 3, 3, 1}));
  EXPECT_EQ(biased(score, none, {3, 1}), (std::vector<T>{-inf, -inf, 3, 3, -inf, -inf}));
  EXPECT_EQ(biased(score, bias, {3, 2}), (std::vector<T>{4, 0, 3, 3, -inf, -inf}));  // 4 = 4: the lower group
  EXPECT_EQ(biased(score, bias, {6, 2}), (std::vector<T>{4, -inf, 3, -inf, -inf, -inf}));
  EXPECT_EQ(biased(equal, none, {3, 2}), (std::vector<T>{1, 1, 1, 1, -inf, -inf}));
  // Groups score 4, 5 and 4 by the sum of two, in whatever order they stand.
  EXPECT_EQ(biased({4, 0, 2, 3, 1, 3}, none, {3, 1}), (std::vector<T>{-inf, -inf, 2, 3, -inf, -inf}));
  auto broken = score;
  broken[3] = T(kNaN);
  const auto last = biased(broken, bias, {3, 2});  // the group with NaN is the last, and NaN stays NaN
  EXPECT_TRUE(last[2] == -inf && std::isnan(last[3]) && last[0] == 4 && last[4] == 3);
  // Also where a group has two better scores beside the NaN.
  const auto alone = biased({3, 2, T(kNaN), 1, 1, 1}, none, {2, 1});
  EXPECT_TRUE(alone[0] == -inf && alone[1] == -inf && std::isnan(alone[2]));
  EXPECT_TRUE(alone[3] == 1 && alone[4] == 1 && alone[5] == 1);
}

TYPED_TEST(Choice, BiasMovesTowardsTheMean) {
  using T = TypeParam;
  Context ctx;
  std::vector<T> bias = {0, 1, 2, 3};
  Ints count = {5, 0, 2, 1};
  const Ints more = {0, 7, 4, 5};
  add_counts(ctx, count.data(), more.data(), 4);
  EXPECT_EQ(count, (Ints{5, 7, 6, 6}));
  move_bias<T>(ctx, bias.data(), count.data(), 0.5, 4);
  EXPECT_EQ(bias, (std::vector<T>{0.5, 0.5, 2, 3}));
  const Ints uneven = {1, 0, 0, 2};  // the mean is 3/4
  move_bias<T>(ctx, bias.data(), uneven.data(), 0.5, 4);
  EXPECT_EQ(bias, (std::vector<T>{0, 1, 2.5, 2.5}));
}

TYPED_TEST(Choice, SigmoidAndItsGradient) {
  using T = TypeParam;
  const std::vector<T> x = {-1000, -1, 0, 1, 1000, T(kNaN)}, dy = {1, 2, 3, 4, 5, 6};
  Context ctx;
  Output<T> y(6), dx(6);
  sigmoid<T>(ctx, y, x.data(), 6);
  sigmoid_backward<T>(ctx, dx, dy.data(), y.data(), 6);
  const double s = 0.7310585786300049;
  const auto number = [](std::vector<T> v) { return std::vector<T>(v.begin(), v.end() - 1); };
  EXPECT_TRUE(close(number(y.vector()), cast<T>(std::vector<double>{0, 1 - s, 0.5, s, 1}), {1e-7, 1e-6}));
  EXPECT_TRUE(close(number(dx.vector()),
                    cast<T>(std::vector<double>{0, 2 * s * (1 - s), 0.75, 4 * s * (1 - s), 0}),
                    {1e-6, 1e-6}));
  EXPECT_TRUE(std::isnan(y.vector()[5]) && std::isnan(dx.vector()[5]));
}

TYPED_TEST(Choice, WithoutChoicesEveryExpertIsWeighed) {
  using T = TypeParam;
  Context ctx;
  const std::vector<T> score = {1, 3, 0, 0, 0, 2}, dweight = {1, 0, 0, 0, 0, 5};
  Output<T> w(6), d(6);
  const ChoiceShape s{3, 2, 2};
  weigh_choice<T>(ctx, w, score.data(), nullptr, s);
  EXPECT_EQ(w.vector(), (std::vector<T>{T(0.25), T(0.75), 0, 0, 0, 1}));
  weigh_choice_backward<T>(ctx, d, dweight.data(), score.data(), nullptr, {1, 2, 2});
  EXPECT_EQ(d.vector()[0], T(0.75) / 4);
  EXPECT_EQ(d.vector()[1], T(-0.25) / 4);
  EXPECT_THROW(weigh_choice<T>(ctx, w, score.data(), nullptr, {3, 2, 1}), Error);
}

TYPED_TEST(Choice, TopPKeepsTheFirstAndStopsAtTheThreshold) {
  using T = TypeParam;
  const Ints expert = {4, 2, 0, 1, 3, 5, 7, 8, 9};
  const std::vector<T> weight = {T(0.5), T(0.25), T(0.25), T(0.75), T(0.25), 0, T(kNaN), 1, 1};
  each_version(
      keep_top_p<T>,
      [&](auto& function, Context& ctx) {
        Output<std::int32_t> kept(9);
        function(ctx, kept, expert.data(), weight.data(), 0.75, 3, 3);
        return kept.vector();
      },
      [&](const Ints& kept) {
        EXPECT_EQ(kept, (Ints{4, 2, -1, 1, -1, -1, 7, -1, -1}));
      });
}

TYPED_TEST(Choice, TheTableDecidesAndTheHashWhereItIsSilent) {
  using T = TypeParam;
  const Ints id = {0, 1, 2, 3, -1};
  const std::vector<T> table = {5, 6, -1, -1, 7, 0};
  Context ctx;
  Output<std::int32_t> expert(10), hashed(10);
  const ChoiceShape s{5, 8, 2};
  hash_choice(ctx, hashed, id.data(), {.seed = 1}, s);
  table_choice<T>(ctx, expert, id.data(), table.data(), 3, {.seed = 1}, s);
  Ints expected = hashed.vector();
  expected[0] = 5, expected[1] = 6, expected[4] = 7, expected[5] = 0;
  EXPECT_EQ(expert.vector(), expected);
}

}  // namespace
}  // namespace moe
