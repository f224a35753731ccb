// The experts on the device against the CPU's plain version in double.
#include "kernels/grouped_ffn/grouped_ffn.hpp"

#include <numeric>

#include "tests/simt/device_versions.hpp"

namespace moe {
namespace {

using namespace testing;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Rows grouped by expert, with `spare` rows of NaN behind the last group.
struct Problem {
  Problem(const std::vector<int>& groups, std::int64_t D, std::int64_t F, std::int64_t spare = 0)
      : offset{0} {
    for (const int rows : groups) offset.push_back(offset.back() + rows);
    s = {offset.back() + spare, static_cast<std::int64_t>(groups.size()), D, F};
    x = rows_of(1);
    dy = rows_of(2);
    gate_up = scaled(s.E * 2 * F * D, 1 / std::sqrt(D), 3);
    down = scaled(s.E * D * F, 1 / std::sqrt(F), 4);
    text = concat("D ", D, " F ", F, " spare ", spare, " groups");
    for (const int rows : groups) text += concat(' ', rows);
  }
  FfnShape s;
  std::string text;
  std::vector<std::int32_t> offset;
  std::vector<float> x, dy, gate_up, down;

 private:
  std::vector<float> rows_of(std::uint64_t seed) {
    auto values = random_normal<float>(offset.back() * s.D, seed);
    values.resize(s.A * s.D, kNaN);
    return values;
  }
  static std::vector<float> scaled(std::int64_t n, double factor, std::uint64_t seed) {
    auto values = random_normal<float>(n, seed);
    for (float& value : values) value *= static_cast<float>(factor);
    return values;
  }
};

// Weight gradients start from this where they accumulate.
constexpr float kBefore = 3;

// y, hidden, dx, dgate_up, ddown and the gradient of hidden, one behind the other; rows without an expert NaN.
struct Expected {
  Expected(const Problem& p, bool accumulate) {
    const auto [A, E, D, F] = p.s;
    const auto x = cast<double>(p.x), dy = cast<double>(p.dy), gate_up = cast<double>(p.gate_up),
               down = cast<double>(p.down);
    constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
    std::vector<double> y(A * D, kNothing), hidden(A * 2 * F, kNothing), dx(A * D, kNothing),
        dgate_up(gate_up.size(), kBefore), ddown(down.size(), kBefore);
    Context cpu;
    grouped_ffn<double>.versions()[0].function(cpu, y.data(), hidden.data(), x.data(),
                                               {gate_up.data(), down.data()}, p.offset.data(), p.s);
    append(all, cast<float>(y));
    append(all, cast<float>(hidden));
    grouped_ffn_backward<double>.versions()[0].function(
        cpu, {dx.data(), dgate_up.data(), ddown.data(), accumulate}, dy.data(), x.data(), hidden.data(),
        {gate_up.data(), down.data()}, p.offset.data(), p.s);
    for (const auto* part : {&dx, &dgate_up, &ddown, &hidden}) append(all, cast<float>(*part));
  }
  std::vector<float> all;
};

// Forward without and with hidden, then backward from what forward left.
std::vector<float> run(Context& ctx, GroupedFfn<float>& forward, GroupedFfnBackward<float>& backward,
                       const Problem& p, bool accumulate, std::int64_t shift) {
  const FfnShape& s = p.s;
  OnDevice<float> x(ctx, p.x, shift), dy(ctx, p.dy, shift), gate_up(ctx, p.gate_up, shift),
      down(ctx, p.down, shift);
  OnDevice<std::int32_t> offset(ctx, p.offset);
  OnDevice<float> y(ctx, s.A * s.D, shift), alone(ctx, s.A * s.D, shift), hidden(ctx, s.A * 2 * s.F, shift),
      dx(ctx, s.A * s.D, shift);
  const std::int64_t weights = s.E * s.D * s.F;
  const std::vector<float> before(2 * weights, accumulate ? kBefore : kNaN);
  OnDevice<float> dgate_up(ctx, before, shift), ddown(ctx, std::span(before).first(weights), shift);
  const FfnWeights<float> w{gate_up, down};
  forward(ctx, alone, nullptr, x, w, offset, s);
  forward(ctx, y, hidden, x, w, offset, s);
  EXPECT_TRUE(same_bytes(alone.vector(), y.vector())) << "without hidden";
  std::vector<float> all = y.vector();
  append(all, hidden.vector());
  backward(ctx, {dx, dgate_up, ddown, accumulate}, dy, x, hidden, w, offset, s);
  for (OnDevice<float>* part : {&dx, &dgate_up, &ddown, &hidden}) append(all, part->vector());
  return all;
}

// NaN where NaN is expected, and nowhere else: what no expert owns stays as it was.
void expect_close(const std::vector<float>& actual, const std::vector<float>& expected, Tolerance tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  std::vector<float> a, b;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (std::isnan(expected[i])) {
      ASSERT_TRUE(std::isnan(actual[i])) << i << " was written";
      continue;
    }
    a.push_back(actual[i]);
    b.push_back(expected[i]);
  }
  EXPECT_TRUE(close(a, b, tolerance));
}

// Sums over up to 300 terms of size 1, and products of such sums.
constexpr Tolerance kSums{1e-4, 1e-4};

template <class Check>
void each_result(const Problem& p, DType inputs, bool accumulate, std::int64_t shift, Check check) {
  each_device_version(
      grouped_ffn<float>, inputs,
      [&](GroupedFfn<float>& forward, Context& ctx) {
        std::size_t row = 0;
        while (*grouped_ffn<float>.versions()[row].function != forward) ++row;
        return run(ctx, forward, *grouped_ffn_backward<float>.versions()[row].function, p, accumulate, shift);
      },
      check);
}

// The same in bf16 on the CPU: one more device version of the test's own making.
std::vector<float> on_cpu_in_bf16(const Problem& p, bool accumulate) {
  Context cpu;
  cpu.matrix_inputs = DType::bf16;
  const auto row = [](const auto& operation) {
    for (const auto& version : operation.versions())
      if (version.device == DeviceKind::cpu && version.inputs == DType::bf16) return version.function;
    return operation.versions()[0].function;
  };
  return run(cpu, *row(grouped_ffn<float>), *row(grouped_ffn_backward<float>), p, accumulate, 0);
}

// Device and CPU round the same operands; sums in another order put one in some ten thousand activations on the other side of
// a rounding, by 2^-8 of it, and with it a row of y or dx. All others agree as closely as f32 sums do.
void expect_close_in_bf16(const std::vector<float>& actual, const std::vector<float>& expected) {
  expect_close(actual, expected, {0.03, 0.03});
  std::size_t apart = 0;
  for (std::size_t i = 0; i < actual.size(); ++i)
    apart += std::abs(actual[i] - expected[i]) > 1e-4 + 1e-4 * std::abs(expected[i]);
  EXPECT_LE(apart, actual.size() / 50);
}

void expect_all(const Problem& p, std::int64_t shift = 0) {
  SCOPED_TRACE(concat(p.text, " shift ", shift));
  for (const bool accumulate : {false, true}) {
    const Expected expected(p, accumulate);
    each_result(p, DType::f32, accumulate, shift,
                [&](const std::vector<float>& actual) { expect_close(actual, expected.all, kSums); });
    const std::vector<float> rounded = on_cpu_in_bf16(p, accumulate);
    each_result(p, DType::bf16, accumulate, shift,
                [&](const std::vector<float>& actual) { expect_close_in_bf16(actual, rounded); });
  }
}

TEST(GroupedFfnKernels, AgreeForEveryRowCountOfOneExpert) {
  for (const int rows : {0, 1, 31, 32, 33, 63, 64, 65, 127, 129}) expect_all(Problem({rows}, 33, 31));
}

TEST(GroupedFfnKernels, AgreeForEveryWidth) {
  for (const std::int64_t width : {1, 31, 32, 33, 63, 64, 65, 127, 129}) {
    expect_all(Problem({7, 0, 66}, width, 5));
    expect_all(Problem({7, 0, 66}, 5, width));
  }
}

TEST(GroupedFfnKernels, EmptyExpertsMayStandAnywhere) {
  expect_all(Problem({0, 0, 0}, 8, 4));
  expect_all(Problem({0, 5, 0, 0, 70, 0}, 8, 4));
  expect_all(Problem({64, 0, 64, 128, 0}, 8, 4));  // groups that end where tiles do
  expect_all(Problem({63, 1, 0, 65, 127, 1}, 8, 4));
}

TEST(GroupedFfnKernels, AllRowsMayGoToOneExpert) {
  for (const std::size_t chosen : {0, 3, 7}) {
    std::vector<int> groups(8);
    groups[chosen] = 200;
    expect_all(Problem(groups, 16, 12));
  }
}

TEST(GroupedFfnKernels, MoreExpertsThanThreadsOfABlock) {
  std::vector<int> groups(150);
  for (std::size_t e = 0; e < groups.size(); ++e) groups[e] = static_cast<int>(e * 7 % 5);
  expect_all(Problem(groups, 4, 3));
}

TEST(GroupedFfnKernels, RowsBehindTheLastGroupAreNeitherReadNorWritten) {
  expect_all(Problem({3, 0, 5}, 8, 4, 200));
  expect_all(Problem({0, 0}, 8, 4, 5));
  expect_all(Problem({64, 64}, 8, 4, 1));
}

TEST(GroupedFfnKernels, TakeMisalignedOperands) {
  expect_all(Problem({40, 0, 70}, 64, 32), 1);
  expect_all(Problem({40, 0, 70}, 64, 32), 2);
}

}  // namespace
}  // namespace moe
