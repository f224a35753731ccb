#include "kernels/embedding/embedding.hpp"

#include <algorithm>

#include "tests/support/compare.hpp"
#include "tests/support/finite_difference.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace testing;

std::vector<std::int32_t> random_ids(std::int64_t N, std::int64_t V, std::uint64_t seed) {
  std::vector<std::int32_t> id(N);
  for (std::int64_t n = 0; n < N; ++n) id[n] = static_cast<std::int32_t>(philox({.seed = seed}, n)[0] % V);
  return id;
}

template <class T>
class EmbeddingTest : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(EmbeddingTest, Types);

TYPED_TEST(EmbeddingTest, EveryRowIsACopyOfItsTableRow) {
  using T = TypeParam;
  for (const std::int64_t D : kAwkward)
    for (const std::int64_t N : {1, 33, 500}) {
      const std::int64_t V = 37;
      const auto table = random_normal<T>(V * D, 1);
      const auto id = random_ids(N, V, 2);
      std::vector<T> expected(N * D);
      for (std::int64_t n = 0; n < N; ++n)
        for (std::int64_t d = 0; d < D; ++d) expected[n * D + d] = table[id[n] * D + d];
      each_version(
          embedding<T>,
          [&](Embedding<T>& f, Context& ctx) {
            Output<T> y(N * D);
            f(ctx, y, table.data(), id.data(), N, V, D);
            return y.vector();
          },
          [&](const std::vector<T>& y) { EXPECT_TRUE(close(y, expected)); });
    }
}

// Numbers of very different size: another order of additions gives other bytes, so equality checks the order of n.
template <class T>
void expect_sums_in_order(const std::vector<std::int32_t>& id, std::int64_t V, std::int64_t D,
                          bool accumulate) {
  const auto N = static_cast<std::int64_t>(id.size());
  auto dy = random_normal<T>(N * D, 3);
  for (std::int64_t n = 0; n < N; ++n)
    for (std::int64_t d = 0; d < D; ++d) dy[n * D + d] *= static_cast<T>(1 << n % 20);
  const auto before = random_normal<T>(V * D, 4);
  std::vector<T> expected = accumulate ? before : std::vector<T>(V * D, 0);
  for (std::int64_t n = 0; n < N; ++n)
    for (std::int64_t d = 0; d < D; ++d) expected[id[n] * D + d] += dy[n * D + d];
  each_version(
      embedding_backward<T>,
      [&](EmbeddingBackward<T>& f, Context& ctx) {
        Output<T> dtable(V * D);
        if (accumulate) std::copy(before.begin(), before.end(), dtable.data());
        f(ctx, dtable, dy.data(), id.data(), N, V, D, accumulate);
        return dtable.vector();
      },
      [&](const std::vector<T>& dtable) { EXPECT_TRUE(close(dtable, expected)); });
}

TYPED_TEST(EmbeddingTest, BackwardSumsInTheOrderOfTheRows) {
  for (const std::int64_t D : kAwkward)
    for (const bool accumulate : {false, true}) {
      expect_sums_in_order<TypeParam>(random_ids(700, 129, 5), 129, D, accumulate);
      expect_sums_in_order<TypeParam>(random_ids(31, 2000, 6), 2000, D, accumulate);  // most ids never occur
    }
}

TYPED_TEST(EmbeddingTest, BackwardWithOneIdForAllAndWithNoRowsAtAll) {
  for (const std::int32_t only : {0, 17, 32})
    expect_sums_in_order<TypeParam>(std::vector<std::int32_t>(600, only), 33, 32, false);
  expect_sums_in_order<TypeParam>({}, 33, 32, false);
  expect_sums_in_order<TypeParam>({}, 33, 32, true);
}

TEST(EmbeddingBackward, AgreesWithFiniteDifferences) {
  Context ctx;
  const std::int64_t N = 5, V = 4, D = 3;
  const std::vector<std::int32_t> id = {3, 1, 3, 3, 0};
  const auto table = random_normal<double>(V * D, 7), dy = random_normal<double>(N * D, 8);
  std::vector<double> dtable(V * D);
  embedding_backward<double>(ctx, dtable.data(), dy.data(), id.data(), N, V, D, false);
  const auto f = [&](const std::vector<double>& at) {
    std::vector<double> y(N * D);
    embedding<double>(ctx, y.data(), at.data(), id.data(), N, V, D);
    return inner(y, dy);
  };
  EXPECT_TRUE(close(dtable, finite_difference(f, table), {1e-8, 1e-7}));
}

TEST(Embedding, RefusesIdsOutsideTheVocabulary) {
  Context ctx;
  std::vector<float> table(6, 1), y(2);
  for (const std::int32_t id : {-1, 3}) {
    EXPECT_THROW(embedding<float>(ctx, y.data(), table.data(), &id, 1, 3, 2), Error);
    EXPECT_THROW(embedding_backward<float>(ctx, table.data(), y.data(), &id, 1, 3, 2, true), Error);
  }
}

}  // namespace
}  // namespace moe
