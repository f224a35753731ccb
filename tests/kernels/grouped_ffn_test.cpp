#include "kernels/grouped_ffn/grouped_ffn.hpp"

#include <cmath>
#include <limits>

#include "tests/support/numeric.hpp"

namespace moe {
namespace {

using namespace moe::testing;

// Rows grouped by expert, with `spare` rows of NaN behind the last group.
template <class T>
struct Problem {
  Problem(const std::vector<int>& groups, std::int64_t D, std::int64_t F, std::int64_t spare = 0)
      : offset{0} {
    for (const int rows : groups) offset.push_back(offset.back() + rows);
    s = {offset.back() + spare, static_cast<std::int64_t>(groups.size()), D, F};
    x = rows_of(1);
    dy = rows_of(2);
    gate_up = scaled(s.E * 2 * F * D, 1 / std::sqrt(D), 3);
    down = scaled(s.E * D * F, 1 / std::sqrt(F), 4);
  }

  std::int64_t used() const { return offset.back(); }
  FfnWeights<T> weights() const { return {gate_up.data(), down.data()}; }

  FfnShape s;
  std::vector<std::int32_t> offset;
  std::vector<T> x, dy, gate_up, down;

 private:
  std::vector<T> rows_of(std::uint64_t seed) {
    std::vector<T> values = random_normal<T>(used() * s.D, seed);
    values.resize(s.A * s.D, std::numeric_limits<T>::quiet_NaN());
    return values;
  }
  static std::vector<T> scaled(std::int64_t n, double factor, std::uint64_t seed) {
    std::vector<T> values = random_normal<T>(n, seed);
    for (T& value : values) value *= static_cast<T>(factor);
    return values;
  }
};

struct Oracle {
  std::vector<double> y, hidden, dx, dgate_up, ddown;
};

// One row at a time in double, by the definition.
template <class T>
Oracle oracle(const Problem<T>& p) {
  const auto [A, E, D, F] = p.s;
  Oracle out{.y = std::vector<double>(p.used() * D),
             .hidden = std::vector<double>(p.used() * 2 * F),
             .dx = std::vector<double>(p.used() * D),
             .dgate_up = std::vector<double>(E * 2 * F * D),
             .ddown = std::vector<double>(E * D * F)};
  for (std::int64_t e = 0; e < E; ++e)
    for (std::int64_t r = p.offset[e]; r < p.offset[e + 1]; ++r)
      for (std::int64_t f = 0; f < F; ++f) {
        const std::int64_t gate = (e * 2 * F + f) * D, up = gate + F * D;
        double h = 0, u = 0, dact = 0;
        for (std::int64_t d = 0; d < D; ++d) {
          h += static_cast<double>(p.x[r * D + d]) * p.gate_up[gate + d];
          u += static_cast<double>(p.x[r * D + d]) * p.gate_up[up + d];
          dact += static_cast<double>(p.dy[r * D + d]) * p.down[(e * D + d) * F + f];
        }
        const double sig = 1 / (1 + std::exp(-h)), act = h * sig * u;
        const double dh = dact * u * (sig + h * sig * (1 - sig)), du = dact * h * sig;
        out.hidden[r * 2 * F + f] = h;
        out.hidden[r * 2 * F + F + f] = u;
        for (std::int64_t d = 0; d < D; ++d) {
          out.y[r * D + d] += act * p.down[(e * D + d) * F + f];
          out.ddown[(e * D + d) * F + f] += act * p.dy[r * D + d];
          out.dx[r * D + d] += dh * p.gate_up[gate + d] + du * p.gate_up[up + d];
          out.dgate_up[gate + d] += dh * p.x[r * D + d];
          out.dgate_up[up + d] += du * p.x[r * D + d];
        }
      }
  return out;
}

// The first rows as expected, all that stands behind them still poisoned.
template <class T>
void expect_rows(const Output<T>& actual, const std::vector<double>& expected,
                 Tolerance tolerance = kSumRounding<T>) {
  const std::vector<T> values = cast<T>(expected);
  EXPECT_TRUE(close(actual.span().first(values.size()), std::span<const T>(values), tolerance));
  for (const T x : actual.span().subspan(values.size()))
    ASSERT_TRUE(std::isnan(x)) << "a row without an expert was written";
}

template <class T>
void expect_forward(const Problem<T>& p, const Oracle& expected, int threads = 2) {
  for (const auto& version : versions_here(grouped_ffn<T>)) {
    SCOPED_TRACE(version.name);
    Context ctx(threads);
    Output<T> y(p.s.A * p.s.D), hidden(p.s.A * 2 * p.s.F), alone(p.s.A * p.s.D);
    version.function(ctx, y, hidden, p.x.data(), p.weights(), p.offset.data(), p.s);
    expect_rows(y, expected.y);
    expect_rows(hidden, expected.hidden);
    version.function(ctx, alone, nullptr, p.x.data(), p.weights(), p.offset.data(), p.s);
    EXPECT_TRUE(same_bytes(alone.span(), y.span())) << "without hidden";
  }
}

// Rows behind the last group hold NaN in hidden too.
template <class T>
std::vector<T> hidden_of(const Problem<T>& p, const Oracle& expected) {
  std::vector<T> hidden = cast<T>(expected.hidden);
  hidden.resize(p.s.A * 2 * p.s.F, std::numeric_limits<T>::quiet_NaN());
  return hidden;
}

template <class T>
void expect_backward(const Problem<T>& p, const Oracle& expected, bool accumulate, int threads = 2) {
  // Sums over up to 1000 rows: the rounding grows with the terms.
  const Tolerance tolerance{kSumRounding<T>.absolute * 10, kSumRounding<T>.relative * 10};
  for (const auto& version : versions_here(grouped_ffn_backward<T>)) {
    SCOPED_TRACE(concat(version.name, accumulate ? " accumulates" : " overwrites"));
    Context ctx(threads);
    Output<T> dx(p.s.A * p.s.D), dgate_up(p.gate_up.size()), ddown(p.down.size());
    std::vector<T> hidden = hidden_of(p, expected);
    std::vector<double> want_gate_up = expected.dgate_up, want_down = expected.ddown;
    if (accumulate) {
      std::fill_n(dgate_up.data(), p.gate_up.size(), T(3));
      std::fill_n(ddown.data(), p.down.size(), T(-5));
      for (double& w : want_gate_up) w += 3;
      for (double& w : want_down) w += -5;
    }
    version.function(ctx, {dx, dgate_up, ddown, accumulate}, p.dy.data(), p.x.data(), hidden.data(),
                     p.weights(), p.offset.data(), p.s);
    expect_rows(dx, expected.dx, tolerance);
    expect_rows(dgate_up, want_gate_up, tolerance);
    expect_rows(ddown, want_down, tolerance);
    for (std::size_t i = p.used() * 2 * p.s.F; i < hidden.size(); ++i) ASSERT_TRUE(std::isnan(hidden[i]));
  }
}

template <class T>
void expect_all(const std::vector<int>& groups, std::int64_t D, std::int64_t F, std::int64_t spare = 0) {
  std::string text = concat("D ", D, " F ", F, " spare ", spare, " groups");
  for (const int rows : groups) text += concat(' ', rows);
  SCOPED_TRACE(text);
  const Problem<T> problem(groups, D, F, spare);
  const Oracle expected = oracle(problem);
  expect_forward(problem, expected);
  for (const bool accumulate : {false, true}) expect_backward(problem, expected, accumulate);
}

template <class T>
struct GroupedFfnTest : ::testing::Test {};
TYPED_TEST_SUITE(GroupedFfnTest, Floats);

TYPED_TEST(GroupedFfnTest, AgreesForEveryRowCountOfADenseNetwork) {
  for (const int rows : {0, 1, 2, 31, 33, 127, 128, 129, 257}) expect_all<TypeParam>({rows}, 17, 9);
}

TYPED_TEST(GroupedFfnTest, AgreesForRaggedGroups) {
  expect_all<TypeParam>({1, 31, 33, 129, 257}, 12, 10);
  expect_all<TypeParam>({257, 1, 128}, 8, 5);
}

TYPED_TEST(GroupedFfnTest, EmptyExpertsMayStandAnywhere) {
  expect_all<TypeParam>({0, 5, 3}, 6, 4);
  expect_all<TypeParam>({5, 0, 0, 3}, 6, 4);
  expect_all<TypeParam>({5, 3, 0}, 6, 4);
  expect_all<TypeParam>({0, 0, 40, 0, 0}, 6, 4);
  expect_all<TypeParam>({0, 0, 0}, 6, 4);
}

TYPED_TEST(GroupedFfnTest, RowsBehindTheLastGroupAreNeitherReadNorWritten) {
  expect_all<TypeParam>({3, 0, 33}, 6, 4, 7);
  expect_all<TypeParam>({0, 0}, 6, 4, 5);
}

// 2F = 258 weight rows are two tasks, and one, three or five are fewer than the four a single expert is cut into.
TYPED_TEST(GroupedFfnTest, AgreesForAwkwardWidths) {
  expect_all<TypeParam>({4, 3}, 1, 1);
  expect_all<TypeParam>({4}, 3, 1);
  expect_all<TypeParam>({3, 2, 0, 4, 1}, 5, 129);
  expect_all<TypeParam>({3, 2, 0, 4, 1}, 300, 3);
}

TYPED_TEST(GroupedFfnTest, GivesTheSameBytesForAnyThreadCount) {
  using T = TypeParam;
  // Twenty row blocks and more, each long enough that threads meet: sharing their scratch would show.
  const Problem<T> p({130, 0, 1500, 7, 900}, 9, 200, 2);
  for (std::size_t i = 0; i < versions_here(grouped_ffn<T>).size(); ++i) {
    std::vector<std::vector<T>> first;
    for (const int threads : kThreadCounts) {
      SCOPED_TRACE(concat(versions_here(grouped_ffn<T>)[i].name, " on ", threads, " threads"));
      Context ctx(threads);
      Output<T> y(p.s.A * p.s.D), hidden(p.s.A * 2 * p.s.F), dx(p.s.A * p.s.D), dgate_up(p.gate_up.size()),
          ddown(p.down.size());
      versions_here(grouped_ffn<T>)[i].function(ctx, y, hidden, p.x.data(), p.weights(), p.offset.data(),
                                                p.s);
      versions_here(grouped_ffn_backward<T>)[i].function(ctx, {dx, dgate_up, ddown, false}, p.dy.data(),
                                                         p.x.data(), hidden, p.weights(), p.offset.data(),
                                                         p.s);
      const std::vector<std::vector<T>> all{y.vector(), hidden.vector(), dx.vector(), dgate_up.vector(),
                                            ddown.vector()};
      if (first.empty()) first = all;
      for (std::size_t j = 0; j < all.size(); ++j)
        EXPECT_TRUE(same_bytes(all[j], first[j])) << "output " << j;
    }
  }
}

TEST(GroupedFfn, GradientsAreFiniteDifferences) {
  Problem<double> p({2, 0, 3}, 3, 2);
  for (std::size_t i = 0; i < versions_here(grouped_ffn<double>).size(); ++i) {
    SCOPED_TRACE(versions_here(grouped_ffn<double>)[i].name);
    Context ctx;
    Output<double> hidden(p.s.A * 2 * p.s.F), y(p.s.A * p.s.D), dx(p.x.size()), dgate_up(p.gate_up.size()),
        ddown(p.down.size());
    const auto loss = [&] {
      versions_here(grouped_ffn<double>)[i].function(ctx, y, hidden, p.x.data(), p.weights(), p.offset.data(),
                                                     p.s);
      return inner(y.vector(), p.dy);
    };
    loss();
    versions_here(grouped_ffn_backward<double>)[i].function(ctx, {dx, dgate_up, ddown, false}, p.dy.data(),
                                                            p.x.data(), hidden, p.weights(), p.offset.data(),
                                                            p.s);
    EXPECT_TRUE(close(dx, differences_at(p.x, loss), kDifference));
    EXPECT_TRUE(close(dgate_up, differences_at(p.gate_up, loss), kDifference));
    EXPECT_TRUE(close(ddown, differences_at(p.down, loss), kDifference));
  }
}

// Each operand is off by 2^-9 of itself at most, so every term by 2^-8, and what is made of two such products by twice that;
// and the results are not those of f32.
TEST(GroupedFfn, Bf16IsNearF32) {
  const Problem<float> p({5, 0, 60, 7}, 33, 40, 3);
  const Oracle expected = oracle(p);
  const Tolerance tolerance{0.1, 0.02};
  Context ctx(2);
  ctx.matrix_inputs = DType::bf16;
  Output<float> y(p.s.A * p.s.D), hidden(p.s.A * 2 * p.s.F), dx(p.s.A * p.s.D), dgate_up(p.gate_up.size()),
      ddown(p.down.size());
  grouped_ffn<float>(ctx, y, hidden, p.x.data(), p.weights(), p.offset.data(), p.s);
  expect_rows(y, expected.y, tolerance);
  expect_rows(hidden, expected.hidden, tolerance);
  EXPECT_FALSE(
      close(y.span().first(expected.y.size()), std::span<const float>(cast<float>(expected.y)), {1e-4, 0}));
  grouped_ffn_backward<float>(ctx, {dx, dgate_up, ddown, false}, p.dy.data(), p.x.data(), hidden, p.weights(),
                              p.offset.data(), p.s);
  expect_rows(dx, expected.dx, tolerance);
  expect_rows(dgate_up, expected.dgate_up, tolerance);
  expect_rows(ddown, expected.ddown, tolerance);
}

// Numbers that are bf16 already are not touched: D = F = 1, and all that is rounded stands in one product.
TEST(GroupedFfn, Bf16RoundsTheActivationsOnTheirWayIn) {
  const std::vector<float> x = {1}, gate_up = {1, 1}, down = {1};
  const std::vector<std::int32_t> offset = {0, 1};
  Context ctx;
  ctx.matrix_inputs = DType::bf16;
  Output<float> y(1), hidden(2);
  grouped_ffn<float>(ctx, y, hidden, x.data(), {gate_up.data(), down.data()}, offset.data(), {1, 1, 1, 1});
  EXPECT_TRUE(close(hidden, {1, 1}));
  EXPECT_TRUE(close(y, {0.73046875f})) << "sigmoid(1) = 0.731058..., in bf16 187/256";
}

// One row, D = 1, F = 1, W_gate = W_up = W_down = 2, x = 1: h = u = 2, y = 2·sigmoid(2)·2·2 = 8·0.8807970780 by hand.
TYPED_TEST(GroupedFfnTest, AgreesWithOneRowByHand) {
  using T = TypeParam;
  const std::vector<T> x = {1}, gate_up = {2, 2}, down = {2};
  const std::vector<std::int32_t> offset = {0, 1};
  for (const auto& version : versions_here(grouped_ffn<T>)) {
    Context ctx;
    Output<T> y(1), hidden(2);
    version.function(ctx, y, hidden, x.data(), {gate_up.data(), down.data()}, offset.data(), {1, 1, 1, 1});
    EXPECT_TRUE(close(hidden, {2, 2})) << version.name;
    EXPECT_TRUE(close(y, {T(7.046376624)}, {1e-6, 0})) << version.name;
  }
}

}  // namespace
}  // namespace moe
