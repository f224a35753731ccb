#include "common/moe/routers/hash_balanced.hpp"

#include <gtest/gtest.h>

#include "tests/moe/router_case.hpp"

namespace moe::testing {
namespace {

using Ints = std::vector<std::int32_t>;

// By hand: 8 → 0, 6 → 1, then 5 to the lesser of 8 and 6, and so on.
TEST(HashBalanced, FrequentIdsAreDealtToTheEmptiestExpert) {
  EXPECT_EQ(balanced_table(std::vector<std::int64_t>{5, 8, 1, 6}, 2, 1), (Ints{1, 0, 0, 1}));
  EXPECT_EQ(balanced_table(std::vector<std::int64_t>{4, 4, 4}, 3, 2), (Ints{0, 1, 2, 0, 1, 2}));
  EXPECT_EQ(balanced_table(std::vector<std::int64_t>{0, 0, 0, 0}, 2, 1), (Ints{0, 1, 0, 1}))
      << "unseen ids are spread";
  EXPECT_EQ(balanced_table(std::vector<std::int64_t>{1, 0, 0, 0, 0, 0}, 2, 1), (Ints{0, 1, 1, 1, 1, 0}))
      << "four unseen ids weigh as much as one occurrence";
  EXPECT_TRUE(balanced_table({}, 3, 2).empty());
}

// Zipf: no expert ends with more than the mean and one frequent id.
TEST(HashBalanced, LoadsAreEvenWhereTheTextAllows) {
  std::vector<std::int64_t> frequency;
  for (int id = 0; id < 1000; ++id) frequency.push_back(100000 / (1 + id));
  for (const std::int64_t K : {1, 2, 3}) {
    const Ints table = balanced_table(frequency, 8, K);
    std::vector<double> load(8);
    for (std::size_t i = 0; i < table.size(); ++i) load.at(table[i]) += static_cast<double>(frequency[i / K]);
    const double mean = std::accumulate(load.begin(), load.end(), 0.0) / 8;
    for (const double l : load) EXPECT_NEAR(l, std::max(mean, 100000.0 * (l > 99999)), mean * 0.05) << K;
  }
}

TEST(HashBalanced, TheTableRoutesAndUnknownIdsAreHashed) {
  Context ctx;
  MoeConfig config = moe_config({0, 1, 4, 8, 2});
  config.router = "hash_balanced";
  config.vocabulary = 4;
  RouterCase<double> router(ctx, config, 1);
  router.parameter["table"]->on_frequencies(std::vector<std::int64_t>{1, 2, 3, 4});
  EXPECT_THROW(router.parameter["table"]->on_frequencies(std::vector<std::int64_t>{1, 2, 3}), Error);
  config.router = "hash";
  RouterCase<double> hash(ctx, config, 1);
  const Batch b{1, {0, 0, 0, 0, 0, 0}, {3, 2, 1, 0, 4, -1}};
  const Decisions got = router.route(b).decisions, hashed = hash.route(b).decisions;
  EXPECT_EQ(Decisions(got.begin(), got.begin() + 4),
            (Decisions{{{0, .5}, {1, .5}}, {{2, .5}, {3, .5}}, {{4, .5}, {5, .5}}, {{6, .5}, {7, .5}}}));
  EXPECT_EQ(Decisions(got.begin() + 4, got.end()), Decisions(hashed.begin() + 4, hashed.end()));
  initialise(ctx, 1, [&](const ParameterVisitor& v) { router.router->visit(v, ""); });
  EXPECT_EQ(router.route(b).decisions, hashed) << "no frequencies yet";
}

TEST(HashBalanced, WithoutAVocabularyThereIsNoTable) {
  Context ctx;
  MoeConfig config = moe_config({0, 1, 4, 8, 2});
  config.router = "hash_balanced", config.vocabulary = 0;
  EXPECT_THROW(make_router(ctx, DType::f32, config, 4), UserError);
}

}  // namespace
}  // namespace moe::testing
