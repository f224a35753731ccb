#include "kernels/rows/rows.hpp"

#include <cmath>
#include <limits>

#include "tests/support/numeric.hpp"

namespace moe {
namespace {

using namespace moe::testing;

using Ints = std::vector<std::int32_t>;

// A plan with everything that can happen: token n has (n + 1) % 4 assignments, of which every fifth is dropped; rows stand in
// a scattered order; some rows belong to nobody (token -1).
struct Plan {
  explicit Plan(std::int64_t N) : token_offset{0} {
    std::int32_t assignments = 0;
    for (std::int64_t n = 0; n < N; ++n) {
      assignments += static_cast<std::int32_t>((n + 1) % 4);
      token_offset.push_back(assignments);
    }
    token.assign(assignments, -1);
    row_of.assign(assignments, -1);
    for (std::int64_t n = 0; n < N; ++n)
      for (std::int32_t i = token_offset[n]; i < token_offset[n + 1]; ++i) {
        if (i % 5 == 3) continue;
        row_of[i] = assignments - 1 - i;
        token[row_of[i]] = static_cast<std::int32_t>(n);
      }
  }
  TokenRows where() const { return {token_offset.data(), row_of.data()}; }
  std::int64_t N() const { return static_cast<std::int64_t>(token_offset.size()) - 1; }
  std::int64_t A() const { return static_cast<std::int64_t>(token.size()); }
  Ints token, token_offset, row_of;
};

constexpr std::int64_t kTokens[] = {0, 1, 2, 33, 200};
constexpr std::int64_t kWidths[] = {1, 31, 33, 128};

// Rows (A, D) and one weight a row; NaN where no token owns the row.
template <class T>
struct Problem {
  Problem(std::int64_t N, std::int64_t D_)
      : plan(N),
        s{N, plan.A(), D_},
        x(random_integers<T>(N * D_, 9, 1)),
        rows(random_integers<T>(s.A * D_, 9, 2)),
        weight(random_integers<T>(s.A, 9, 3)) {
    for (std::int64_t r = 0; r < s.A; ++r) {
      if (plan.token[r] >= 0) continue;
      std::fill_n(rows.begin() + r * s.D, s.D, std::numeric_limits<T>::quiet_NaN());
      weight[r] = std::numeric_limits<T>::quiet_NaN();
    }
  }
  Plan plan;
  RowsShape s;
  std::vector<T> x, rows, weight;
};

// Small integers: every sum is exact.
template <class T, class Check>
void for_each_problem(Check check) {
  for (const std::int64_t N : kTokens)
    for (const std::int64_t D : kWidths)
      for (const int threads : kThreadCounts) {
        SCOPED_TRACE(concat("N ", N, " D ", D, " threads ", threads));
        Context ctx(threads);
        check(ctx, Problem<T>(N, D));
      }
}

// What stands in outputs before: not NaN, since NaN is what a row without a token would give if it were computed.
template <class T>
void mark(Output<T>& output) {
  std::fill_n(output.data(), output.span().size(), T(-777));
}

// expected(r, d) for the rows that belong to a token, the mark elsewhere.
template <class T, class Expected>
void expect_rows(const Output<T>& actual, const Problem<T>& p, std::int64_t width, Expected expected) {
  for (std::int64_t i = 0; i < p.s.A * width; ++i) {
    const std::int64_t r = i / width, d = i % width;
    ASSERT_EQ(actual.span()[i], p.plan.token[r] < 0 ? T(-777) : expected(r, d))
        << "row " << r << " column " << d;
  }
}

template <class T>
std::vector<T> sum_by_token(const Problem<T>& p, bool weighted) {
  std::vector<T> y(p.s.N * p.s.D, 0);
  for (std::int64_t r = 0; r < p.s.A; ++r)
    for (std::int64_t d = 0; d < p.s.D && p.plan.token[r] >= 0; ++d)
      y[p.plan.token[r] * p.s.D + d] += (weighted ? p.weight[r] : 1) * p.rows[r * p.s.D + d];
  return y;
}

template <class T>
struct RowsTest : ::testing::Test {};
TYPED_TEST_SUITE(RowsTest, Floats);

TYPED_TEST(RowsTest, GatherCopiesTheTokenOfEachRow) {
  for_each_problem<TypeParam>([](Context& ctx, const auto& p) {
    for (const auto& version : versions_in_host_memory(gather_rows<TypeParam>)) {
      Output<TypeParam> rows(p.s.A * p.s.D);
      mark(rows);
      version.function(ctx, rows, p.x.data(), p.plan.token.data(), p.s);
      expect_rows(rows, p, p.s.D,
                  [&](std::int64_t r, std::int64_t d) { return p.x[p.plan.token[r] * p.s.D + d]; });
    }
  });
}

TYPED_TEST(RowsTest, GatherBackwardSumsTheRowsOfEachToken) {
  for_each_problem<TypeParam>([](Context& ctx, const auto& p) {
    for (const auto& version : versions_in_host_memory(gather_rows_backward<TypeParam>)) {
      Output<TypeParam> dx(p.s.N * p.s.D);
      version.function(ctx, dx, p.rows.data(), p.plan.where(), p.s);
      EXPECT_TRUE(close(dx, sum_by_token(p, false)));
    }
  });
}

TYPED_TEST(RowsTest, CombineWeighsTheRowsOfEachTokenAndGivesZerosWithoutRows) {
  for_each_problem<TypeParam>([](Context& ctx, const auto& p) {
    for (const auto& version : versions_in_host_memory(combine_rows<TypeParam>)) {
      Output<TypeParam> y(p.s.N * p.s.D);
      version.function(ctx, y, p.rows.data(), p.weight.data(), p.plan.where(), p.s);
      EXPECT_TRUE(close(y, sum_by_token(p, true)));
    }
  });
}

TYPED_TEST(RowsTest, CombineBackwardReachesRowsAndWeights) {
  for_each_problem<TypeParam>([](Context& ctx, const auto& p) {
    for (const auto& version : versions_in_host_memory(combine_rows_backward<TypeParam>)) {
      Output<TypeParam> drows(p.s.A * p.s.D), dweight(p.s.A);
      mark(drows);
      mark(dweight);
      version.function(ctx, drows, dweight, p.x.data(), p.rows.data(), p.weight.data(), p.plan.token.data(),
                       p.s);
      const auto dy = [&](std::int64_t r, std::int64_t d) { return p.x[p.plan.token[r] * p.s.D + d]; };
      expect_rows(drows, p, p.s.D, [&](std::int64_t r, std::int64_t d) { return p.weight[r] * dy(r, d); });
      expect_rows(dweight, p, 1, [&](std::int64_t r, std::int64_t) {
        TypeParam sum = 0;
        for (std::int64_t d = 0; d < p.s.D; ++d) sum += p.rows[r * p.s.D + d] * dy(r, d);
        return sum;
      });
    }
  });
}

// Both assignments of the token chose the same expert: two rows, each with its weight. By hand.
TYPED_TEST(RowsTest, ATokenRoutedTwiceToOneExpertCountsTwice) {
  using T = TypeParam;
  const Ints token_offset = {0, 2}, row_of = {1, 0};
  const std::vector<T> rows = {10, 20, 1, 2}, weight = {3, 5};
  for (const auto& version : versions_in_host_memory(combine_rows<T>)) {
    Context ctx;
    Output<T> y(2);
    version.function(ctx, y, rows.data(), weight.data(), {token_offset.data(), row_of.data()}, {1, 2, 2});
    EXPECT_TRUE(close(y, {35, 70})) << version.name;
  }
  for (const auto& version : versions_in_host_memory(gather_rows_backward<T>)) {
    Context ctx;
    Output<T> dx(2);
    version.function(ctx, dx, rows.data(), {token_offset.data(), row_of.data()}, {1, 2, 2});
    EXPECT_TRUE(close(dx, {11, 22})) << version.name;
  }
}

// Sums of rounded numbers: the order must not depend on who computes them.
TYPED_TEST(RowsTest, GivesTheSameBytesForAnyThreadCount) {
  using T = TypeParam;
  const Plan plan(2000);
  const RowsShape s{plan.N(), plan.A(), 33};
  const std::vector<T> rows = random_normal<T>(s.A * s.D, 1), weight = random_normal<T>(s.A, 2),
                       dy = random_normal<T>(s.N * s.D, 3);
  for (std::size_t i = 0; i < versions_in_host_memory(combine_rows<T>).size(); ++i) {
    std::vector<std::vector<T>> first;
    for (const int threads : kThreadCounts) {
      Context ctx(threads);
      Output<T> y(s.N * s.D), drows(s.A * s.D), dweight(s.A);
      versions_in_host_memory(combine_rows<T>)[i].function(ctx, y, rows.data(), weight.data(), plan.where(),
                                                           s);
      versions_in_host_memory(combine_rows_backward<T>)[i].function(
          ctx, drows, dweight, dy.data(), rows.data(), weight.data(), plan.token.data(), s);
      const std::vector<std::vector<T>> all{y.vector(), drows.vector(), dweight.vector()};
      if (first.empty()) first = all;
      for (std::size_t j = 0; j < all.size(); ++j)
        EXPECT_TRUE(same_bytes(all[j], first[j])) << "output " << j;
    }
  }
}

TYPED_TEST(RowsTest, GatherScalarsGivesZeroForMinusOne) {
  using T = TypeParam;
  const std::vector<T> x = {10, 11, 12, 13};
  for (const std::int64_t M : {0, 1, 31, 8192, 8193, 20000}) {
    Ints index(M);
    std::vector<T> expected;
    for (std::int64_t i = 0; i < M; ++i) index[i] = static_cast<std::int32_t>(i * i % 5) - 1;
    for (const std::int32_t i : index) expected.push_back(i < 0 ? 0 : x[i]);
    for (const auto& version : versions_in_host_memory(gather_scalars<T>))
      for (const int threads : kThreadCounts) {
        Context ctx(threads);
        Output<T> y(M);
        version.function(ctx, y, x.data(), index.data(), M);
        EXPECT_TRUE(close(y, expected)) << "M " << M;
      }
  }
}

TEST(Rows, CombineGradientsAreFiniteDifferences) {
  Problem<double> p(9, 3);
  const std::vector<double> dy = random_normal<double>(p.s.N * p.s.D, 4);
  for (std::size_t i = 0; i < versions_in_host_memory(combine_rows<double>).size(); ++i) {
    Context ctx;
    const auto loss = [&] {
      Output<double> y(p.s.N * p.s.D);
      versions_in_host_memory(combine_rows<double>)[i].function(ctx, y, p.rows.data(), p.weight.data(),
                                                                p.plan.where(), p.s);
      return inner(y.vector(), dy);
    };
    Output<double> drows(p.s.A * p.s.D), dweight(p.s.A);
    versions_in_host_memory(combine_rows_backward<double>)[i].function(
        ctx, drows, dweight, dy.data(), p.rows.data(), p.weight.data(), p.plan.token.data(), p.s);
    const std::vector<double> by_rows = differences_at(p.rows, loss),
                              by_weight = differences_at(p.weight, loss);
    for (std::int64_t r = 0; r < p.s.A; ++r) {
      if (p.plan.token[r] < 0) continue;  // unwritten, and without influence
      EXPECT_NEAR(dweight.data()[r], by_weight[r], 1e-6) << "weight " << r;
      for (std::int64_t d = 0; d < p.s.D; ++d)
        EXPECT_NEAR(drows.data()[r * p.s.D + d], by_rows[r * p.s.D + d], 1e-6) << r;
    }
  }
}

}  // namespace
}  // namespace moe
