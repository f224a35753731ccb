#include "kernels/rows/rows.hpp"

#include <cmath>
#include <limits>

#include "tests/support/numeric.hpp"
#include "tests/support/versions.hpp"

namespace moe {
namespace {

using namespace moe::testing;

using Ints = std::vector<std::int32_t>;

// A plan with everything that can happen: every token has K assignments or, with K = 0, token n has (n + 1) % 4 of a list in
// another order; every fifth is dropped; rows stand in a scattered order; some rows belong to nobody (token -1).
struct Plan {
  Plan(std::int64_t N, std::int64_t per_token) : K(per_token), token_offset{0} {
    for (std::int64_t n = 0; n < N; ++n)
      token_offset.push_back(token_offset.back() + static_cast<std::int32_t>(K > 0 ? K : (n + 1) % 4));
    const std::int32_t assignments = token_offset.back();
    token.assign(assignments, -1);
    row.assign(assignments, -1);
    place.assign(assignments, -1);
    for (std::int64_t n = 0; n < N; ++n)
      for (std::int32_t i = token_offset[n]; i < token_offset[n + 1]; ++i) {
        element.push_back(K > 0 ? i : (i + 7) % assignments);
        if (i % 5 == 3) continue;
        row[i] = assignments - 1 - i;
        token[row[i]] = static_cast<std::int32_t>(n);
        place[row[i]] = element[i];
      }
  }
  TokenRows where() const {
    return K > 0 ? TokenRows{row.data(), K} : TokenRows{row.data(), 0, token_offset.data(), element.data()};
  }
  std::int64_t N() const { return static_cast<std::int64_t>(token_offset.size()) - 1; }
  std::int64_t A() const { return static_cast<std::int64_t>(row.size()); }
  std::int64_t K;
  Ints row, token_offset, element;
  Ints token, place;  // of each row: whose it is, and where its weight stands; -1: nobody's
};

constexpr std::int64_t kTokens[] = {0, 1, 2, 33, 200};
constexpr std::int64_t kWidths[] = {1, 31, 33, 128};

// Rows (A, D), NaN where no token owns the row; a weight an assignment, NaN where it was dropped.
template <class T>
struct Problem {
  Problem(std::int64_t N, std::int64_t D_, std::int64_t K)
      : plan(N, K),
        s{N, plan.A(), D_},
        x(random_integers<T>(N * D_, 9, 1)),
        rows(random_integers<T>(s.A * D_, 9, 2)),
        weight(random_integers<T>(s.A, 9, 3)) {
    constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
    for (std::int64_t r = 0; r < s.A; ++r)
      if (plan.token[r] < 0) std::fill_n(rows.begin() + r * s.D, s.D, kNaN);
    for (std::int64_t i = 0; i < s.A; ++i)
      if (plan.row[i] < 0) weight[plan.element[i]] = kNaN;
  }
  T weight_of(std::int64_t r) const { return weight[plan.place[r]]; }
  Plan plan;
  RowsShape s;
  std::vector<T> x, rows, weight;
};

// Small integers: every sum is exact.
template <class T, class Check>
void for_each_problem(Check check) {
  for (const std::int64_t N : kTokens)
    for (const std::int64_t D : kWidths)
      for (const std::int64_t K : {0, 1, 3})
        for (const int threads : kThreadCounts) {
          SCOPED_TRACE(concat("N ", N, " D ", D, " K ", K, " threads ", threads));
          Context ctx(threads);
          check(ctx, Problem<T>(N, D, K));
        }
}

// What stands in outputs before: not NaN, since NaN is what a row without a token would give if it were computed.
template <class T>
void mark(Output<T>& output) {
  std::fill_n(output.data(), output.span().size(), T(-777));
}

// expected(r, d) for the rows that belong to a token, the mark elsewhere.
template <class T, class Expected>
void expect_rows(const Output<T>& actual, const Problem<T>& p, Expected expected) {
  for (std::int64_t i = 0; i < p.s.A * p.s.D; ++i) {
    const std::int64_t r = i / p.s.D, d = i % p.s.D;
    ASSERT_EQ(actual.span()[i], p.plan.token[r] < 0 ? T(-777) : expected(r, d))
        << "row " << r << " column " << d;
  }
}

template <class T>
std::vector<T> sum_by_token(const Problem<T>& p, bool weighted) {
  std::vector<T> y(p.s.N * p.s.D, 0);
  for (std::int64_t r = 0; r < p.s.A; ++r)
    for (std::int64_t d = 0; d < p.s.D && p.plan.token[r] >= 0; ++d)
      y[p.plan.token[r] * p.s.D + d] += (weighted ? p.weight_of(r) : 1) * p.rows[r * p.s.D + d];
  return y;
}

template <class T>
struct RowsTest : ::testing::Test {};
TYPED_TEST_SUITE(RowsTest, Floats);

TYPED_TEST(RowsTest, GatherCopiesTheTokenOfEachRow) {
  for_each_problem<TypeParam>([](Context& ctx, const auto& p) {
    for (const auto& version : versions_here(gather_rows<TypeParam>)) {
      Output<TypeParam> rows(p.s.A * p.s.D);
      mark(rows);
      version.function(ctx, rows, p.x.data(), p.plan.where(), p.s);
      expect_rows(rows, p, [&](std::int64_t r, std::int64_t d) { return p.x[p.plan.token[r] * p.s.D + d]; });
    }
  });
}

TYPED_TEST(RowsTest, GatherBackwardSumsTheRowsOfEachToken) {
  for_each_problem<TypeParam>([](Context& ctx, const auto& p) {
    for (const auto& version : versions_here(gather_rows_backward<TypeParam>)) {
      Output<TypeParam> dx(p.s.N * p.s.D);
      version.function(ctx, dx, p.rows.data(), p.plan.where(), p.s);
      EXPECT_TRUE(close(dx, sum_by_token(p, false)));
    }
  });
}

TYPED_TEST(RowsTest, CombineWeighsTheRowsOfEachTokenAndGivesZerosWithoutRows) {
  for_each_problem<TypeParam>([](Context& ctx, const auto& p) {
    for (const auto& version : versions_here(combine_rows<TypeParam>)) {
      Output<TypeParam> y(p.s.N * p.s.D);
      version.function(ctx, y, p.rows.data(), p.weight.data(), p.plan.where(), p.s);
      EXPECT_TRUE(close(y, sum_by_token(p, true)));
    }
  });
}

TYPED_TEST(RowsTest, CombineBackwardReachesRowsAndWeights) {
  for_each_problem<TypeParam>([](Context& ctx, const auto& p) {
    for (const auto& version : versions_here(combine_rows_backward<TypeParam>)) {
      Output<TypeParam> drows(p.s.A * p.s.D), dweight(p.s.A);
      mark(drows);
      version.function(ctx, drows, dweight, p.x.data(), p.rows.data(), p.weight.data(), p.plan.where(), p.s);
      const auto dy = [&](std::int64_t r, std::int64_t d) { return p.x[p.plan.token[r] * p.s.D + d]; };
      expect_rows(drows, p, [&](std::int64_t r, std::int64_t d) { return p.weight_of(r) * dy(r, d); });
      std::vector<TypeParam> expected(p.s.A, 0);  // and 0 for the dropped
      for (std::int64_t r = 0; r < p.s.A; ++r)
        for (std::int64_t d = 0; d < p.s.D && p.plan.token[r] >= 0; ++d)
          expected[p.plan.place[r]] += p.rows[r * p.s.D + d] * dy(r, d);
      EXPECT_TRUE(close(dweight, expected));
    }
  });
}

// Both assignments of the token chose the same expert: two rows, each with its weight. By hand.
TYPED_TEST(RowsTest, ATokenRoutedTwiceToOneExpertCountsTwice) {
  using T = TypeParam;
  const Ints row = {1, 0};
  const std::vector<T> rows = {10, 20, 1, 2}, weight = {5, 3};
  for (const auto& version : versions_here(combine_rows<T>)) {
    Context ctx;
    Output<T> y(2);
    version.function(ctx, y, rows.data(), weight.data(), {row.data(), 2}, {1, 2, 2});
    EXPECT_TRUE(close(y, {35, 70})) << version.name;
  }
  for (const auto& version : versions_here(gather_rows_backward<T>)) {
    Context ctx;
    Output<T> dx(2);
    version.function(ctx, dx, rows.data(), {row.data(), 2}, {1, 2, 2});
    EXPECT_TRUE(close(dx, {11, 22})) << version.name;
  }
}

// Sums of rounded numbers: the order must not depend on who computes them.
TYPED_TEST(RowsTest, GivesTheSameBytesForAnyThreadCount) {
  using T = TypeParam;
  const Plan plan(2000, 0);
  const RowsShape s{plan.N(), plan.A(), 33};
  const std::vector<T> rows = random_normal<T>(s.A * s.D, 1), weight = random_normal<T>(s.A, 2),
                       dy = random_normal<T>(s.N * s.D, 3);
  for (std::size_t i = 0; i < versions_here(combine_rows<T>).size(); ++i) {
    std::vector<std::vector<T>> first;
    for (const int threads : kThreadCounts) {
      Context ctx(threads);
      Output<T> y(s.N * s.D), drows(s.A * s.D), dweight(s.A);
      versions_here(combine_rows<T>)[i].function(ctx, y, rows.data(), weight.data(), plan.where(), s);
      versions_here(combine_rows_backward<T>)[i].function(ctx, drows, dweight, dy.data(), rows.data(),
                                                          weight.data(), plan.where(), s);
      const std::vector<std::vector<T>> all{y.vector(), drows.vector(), dweight.vector()};
      if (first.empty()) first = all;
      for (std::size_t j = 0; j < all.size(); ++j)
        EXPECT_TRUE(same_bytes(all[j], first[j])) << "output " << j;
    }
  }
}

TEST(Rows, CombineGradientsAreFiniteDifferences) {
  Problem<double> p(9, 3, 0);
  const std::vector<double> dy = random_normal<double>(p.s.N * p.s.D, 4);
  for (std::size_t i = 0; i < versions_here(combine_rows<double>).size(); ++i) {
    Context ctx;
    const auto loss = [&] {
      Output<double> y(p.s.N * p.s.D);
      versions_here(combine_rows<double>)[i].function(ctx, y, p.rows.data(), p.weight.data(), p.plan.where(),
                                                      p.s);
      return inner(y.vector(), dy);
    };
    Output<double> drows(p.s.A * p.s.D), dweight(p.s.A);
    versions_here(combine_rows_backward<double>)[i].function(ctx, drows, dweight, dy.data(), p.rows.data(),
                                                             p.weight.data(), p.plan.where(), p.s);
    const std::vector<double> by_rows = differences_at(p.rows, loss),
                              by_weight = differences_at(p.weight, loss);
    for (std::int64_t r = 0; r < p.s.A; ++r) {
      if (p.plan.token[r] < 0) continue;  // unwritten, and without influence
      const std::int64_t at = p.plan.place[r];
      EXPECT_NEAR(dweight.data()[at], by_weight[at], 1e-6) << "weight " << at;
      for (std::int64_t d = 0; d < p.s.D; ++d)
        EXPECT_NEAR(drows.data()[r * p.s.D + d], by_rows[r * p.s.D + d], 1e-6) << r;
    }
  }
}

}  // namespace
}  // namespace moe
