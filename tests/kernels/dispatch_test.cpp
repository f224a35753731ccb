#include "kernels/dispatch/dispatch.hpp"

#include <limits>

#include "tests/support/compare.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace testing;
using Ints = std::vector<std::int32_t>;

template <class T>
class DispatchTest : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(DispatchTest, Types);

struct Plan {
  Ints offset, row, token;  // token: whose row it is
};

// Word for word: expert after expert takes the choices that name it, in the order of the list.
Plan oracle(const Ints& expert, const DispatchShape& s) {
  Plan plan{{}, Ints(expert.size(), -1), {}};
  for (std::int32_t e = 0; e < s.E; ++e) {
    plan.offset.push_back(static_cast<std::int32_t>(plan.token.size()));
    for (std::size_t i = 0; i < expert.size(); ++i) {
      if (expert[i] != e) continue;
      plan.row[i] = static_cast<std::int32_t>(plan.token.size());
      plan.token.push_back(static_cast<std::int32_t>(static_cast<std::int64_t>(i) / s.K));
    }
  }
  plan.offset.push_back(static_cast<std::int32_t>(plan.token.size()));
  return plan;
}

// rows, offset and row of every version, against the oracle.
template <class T>
void expect_dispatch(const Ints& expert, const DispatchShape& s) {
  SCOPED_TRACE(concat("N ", s.N, " K ", s.K, " D ", s.D, " E ", s.E));
  const Plan plan = oracle(expert, s);
  const auto x = random_normal<T>(s.N * s.D, 3);
  std::vector<double> expected(plan.offset.begin(), plan.offset.end());
  expected.insert(expected.end(), plan.row.begin(), plan.row.end());
  for (const std::int32_t n : plan.token)
    expected.insert(expected.end(), x.begin() + n * s.D, x.begin() + (n + 1) * s.D);
  const std::size_t kept = plan.token.size() * static_cast<std::size_t>(s.D);
  each_version(
      dispatch_rows<T>,
      [&](DispatchRows<T>& f, Context& ctx) {
        Output<T> rows(s.N * s.K * s.D);
        Output<std::int32_t> offset(s.E + 1), row(s.N * s.K);
        f(ctx, rows, offset, row, x.data(), expert.data(), s);
        for (const T untouched : rows.span().subspan(kept)) EXPECT_TRUE(untouched != untouched);
        std::vector<double> all(offset.span().begin(), offset.span().end());
        all.insert(all.end(), row.span().begin(), row.span().end());
        all.insert(all.end(), rows.span().begin(), rows.span().begin() + static_cast<std::ptrdiff_t>(kept));
        return all;
      },
      [&](const std::vector<double>& all) { EXPECT_TRUE(close(all, expected)); });
}

TYPED_TEST(DispatchTest, ByHand) {
  // Tokens 0, 1, 2 by two; token 1 dropped its second choice, and 9 is no expert.
  const Ints expert{2, 0, 2, -1, 0, 9};
  expect_dispatch<TypeParam>(expert, {3, 2, 2, 4});
  const Plan plan = oracle(expert, {3, 2, 2, 4});
  EXPECT_EQ(plan.offset, (Ints{0, 2, 2, 4, 4}));
  EXPECT_EQ(plan.row, (Ints{2, 0, 3, -1, 1, -1}));
  EXPECT_EQ(plan.token, (Ints{0, 2, 0, 1}));
}

// Tokens share counters while their rows make up less than 64 KiB: two parts from 249 tokens on with K = 2, D = 33 and floats.
TYPED_TEST(DispatchTest, AnySize) {
  for (const std::int64_t N : {0, 1, 31, 33, 127, 255, 256, 257, 700})
    for (const std::int64_t K : {1, 2, 3})
      for (const std::int64_t E : {1, 5, 64}) {
        Ints expert;
        for (std::int64_t i = 0; i < N * K; ++i)
          expert.push_back(static_cast<std::int32_t>(philox({.seed = 7}, i)[0] % (E + 2)) - 1);
        expect_dispatch<TypeParam>(expert, {N, K, E == 5 ? 33 : 1, E});
      }
}

TYPED_TEST(DispatchTest, AnyNumberOfPartsUpToTheLast) {
  for (const std::int64_t N : {64, 65, 4097}) {  // rows of 64 KiB: a part each, up to 64 parts
    Ints expert;
    const std::int64_t D = N < 100 ? 16384 / static_cast<std::int64_t>(sizeof(TypeParam)) * 4 : 33;
    for (std::int64_t i = 0; i < N; ++i) expert.push_back(static_cast<std::int32_t>(philox({}, i)[0] % 7));
    expect_dispatch<TypeParam>(expert, {N, 1, D, 7});
  }
}

TYPED_TEST(DispatchTest, AllToOneExpertOrToNobody) {
  for (const std::int32_t e : {0, 3, 7, -1, 8, std::numeric_limits<std::int32_t>::min()})
    expect_dispatch<TypeParam>(Ints(600, e), {300, 2, 5, 8});
}

}  // namespace
}  // namespace moe
