// Choices that are turned over: from experts' lists to tokens, from rows to columns, into keys and counts.
#include "kernels/choice/choice.hpp"
#include "tests/support/numeric.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace moe::testing;

using Ints = std::vector<std::int32_t>;

template <class T>
class ChoiceLists : public ::testing::Test {};
TYPED_TEST_SUITE(ChoiceLists, Floats);

TYPED_TEST(ChoiceLists, ByTokenTurnsTheListOfExpertsOver) {
  using T = TypeParam;
  const Ints token = {2, 0, 1, 2};  // expert 0 took tokens 2 and 0, expert 1 took 1 and 2
  const std::vector<T> weight = {T(0.5), T(0.25), T(0.125), T(1)};
  for (const bool wanted : {false, true}) {
    Context ctx(3);
    Output<std::int32_t> expert(4), table(8);
    Output<T> weights(8);
    by_token<T>(ctx, expert, wanted ? table.data() : nullptr, wanted ? weights.data() : nullptr, token.data(),
                weight.data(), 4, 2, 2);
    EXPECT_EQ(expert.vector(), (Ints{0, 0, 1, 1}));
    if (!wanted) continue;
    EXPECT_EQ(table.vector(), (Ints{0, -1, -1, 1, 0, 1, -1, -1}));
    EXPECT_EQ(weights.vector(), (std::vector<T>{T(0.25), 0, 0, T(0.125), T(0.5), 1, 0, 0}));
  }
}

template <class T>
void expect_transposed() {
  for (const std::int64_t R : {0, 1, 2, 33, 129})
    for (const std::int64_t C : {1, 2, 31, 127}) {
      const auto x = random_integers<T>(R * C, 1000, 5);
      each_version(
          transposed<T>,
          [&](auto& function, Context& ctx) {
            Output<T> y(R * C);
            function(ctx, y, x.data(), R, C);
            return y.vector();
          },
          [&](const std::vector<T>& y) {
            for (std::int64_t r = 0; r < R; ++r)
              for (std::int64_t c = 0; c < C; ++c) ASSERT_EQ(y[c * R + r], x[r * C + c]);
          });
    }
}

TEST(ChoiceListKernels, TransposedTurnsRowsIntoColumns) {
  expect_transposed<float>();
  expect_transposed<double>();
  expect_transposed<std::int32_t>();
}

TEST(ChoiceListKernels, KeysOfGroupsAndNullsThatAreEvenedOut) {
  const Ints expert = {0, 2, -1, 1, 3, 0};
  each_version(
      group_keys,
      [&](auto& function, Context& ctx) {
        Output<std::int32_t> key(6);
        function(ctx, key, expert.data(), 6, 2, 3);
        return key.vector();
      },
      [&](const Ints& key) {
        EXPECT_EQ(key, (Ints{0, 2, -1, 4, -1, 6}));
      });
  Context ctx;
  Ints count = {1, 2, 3, 0, 0, 5, 1, 1};
  even_out_nulls(ctx, count.data(), 2, 2, 2);
  EXPECT_EQ(count, (Ints{2, 4, 3, 3, 0, 10, 2, 2}));
}

// More experts than there are would be looked for without end.
TEST(ChoiceListKernels, ShapesThatCannotBeAreRefused) {
  Context ctx;
  const Ints id = {0};
  const std::vector<float> row(8, 0);
  Ints expert(4);
  std::vector<float> biased(8);
  for (const std::int64_t K : {0, 4}) {
    EXPECT_THROW(hash_choice(ctx, expert.data(), id.data(), {}, {1, 3, K}), Error);
    EXPECT_THROW(table_choice<float>(ctx, expert.data(), id.data(), row.data(), 1, {}, {1, 3, K}), Error);
  }
  for (const std::int64_t groups : {0, 3})
    EXPECT_THROW(biased_score<float>(ctx, biased.data(), row.data(), row.data(), {groups, 1}, {1, 8, 1}),
                 Error);
}

}  // namespace
}  // namespace moe
