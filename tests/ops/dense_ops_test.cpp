// linear, embedding, rms_norm, qk_norm, add, grouped_ffn, self_attention: finite differences in f64 through inputs and parameters.
#include <gtest/gtest.h>

#include "common/ops/ops.hpp"
#include "tests/support/gradients.hpp"

namespace moe::testing {
namespace {

constexpr double kTolerance = 1e-6;

TEST(LinearGradient, MatchesFiniteDifferences) {
  for (const auto& [N, I, O] : {std::array{1, 1, 1}, {2, 31, 33}, {33, 5, 1}, {7, 33, 32}, {1, 127, 3}}) {
    Context ctx(2);
    Parameter w = normal_parameter(ctx, {O, I}, 1);
    const GradientCheck check =
        check_all(ctx, {normal_tensor(ctx, {N, I}, 2)}, {&w},
                  [&](ForwardContext& f, const auto& in) { return project(f, ops::linear(f, in[0], w)); });
    EXPECT_LT(check.worst, kTolerance) << N << " " << I << " " << O << ": " << check.where;
  }
}

TEST(LinearGradient, AddsOverTwoUsesOfOneWeightAndOneInput) {
  Context ctx;
  Parameter w = normal_parameter(ctx, {6, 6}, 1);
  const GradientCheck check =
      check_all(ctx, {normal_tensor(ctx, {3, 6}, 2)}, {&w}, [&](ForwardContext& f, const auto& in) {
        const Value y = ops::linear(f, in[0], w);
        return project(f, ops::add(f, ops::linear(f, y, w), ops::linear(f, in[0], w)));
      });
  EXPECT_LT(check.worst, kTolerance) << check.where;
}

TEST(LinearGradient, ReachesAWeightThatANodeMadeAndNotAConstantOne) {
  Context ctx;
  const Tensor constant = normal_tensor(ctx, {4, 5}, 3);
  const GradientCheck check = check_all(
      ctx, {normal_tensor(ctx, {3, 5}, 1), normal_tensor(ctx, {4, 5}, 2)}, {},
      [&](ForwardContext& f, const auto& in) {
        const Value w = ops::add(f, in[1], Value(constant));
        return project(f, ops::add(f, ops::linear(f, in[0], w), ops::linear(f, in[0], Value(constant))));
      });
  EXPECT_LT(check.worst, kTolerance) << check.where;
}

// Small integers times 1 + 2^-9, which seven bits cannot hold: a product of rounded operands is exact.
TEST(RoundMantissaGradient, IsThatOfTheRoundedOperands) {
  Context ctx;
  for (const std::int64_t N : {0, 1, 33}) {
    const auto whole = random_integers<double>(N * 5, 1, 6), whole_w = random_integers<double>(15, 2, 6);
    const auto nearly = [&](std::vector<double> v, Shape shape) {
      for (double& x : v) x *= 1 + 1.0 / 512;
      return tensor_of(ctx, v, std::move(shape));
    };
    Parameter w = normal_parameter(ctx, {3, 5}, 1);
    w.value = nearly(whole_w, {3, 5});
    Tape tape(ctx);
    ForwardContext f{.ctx = ctx, .tape = &tape};
    const Value x = tape.watch(nearly(whole, {N, 5}));
    const Value y = ops::linear(f, ops::round_mantissa(f, x, 7), ops::round_mantissa(f, tape.leaf(w), 7));
    const auto dy = random_integers<double>(N * 3, 3, 4);
    const Tape::Root root{.value = y, .gradient = tensor_of(ctx, dy, {N, 3})};
    tape.backward({&root, 1});
    std::vector<double> expected_y(N * 3), dx(N * 5), dw(15);
    for (std::int64_t n = 0; n < N; ++n)
      for (int o = 0; o < 3; ++o)
        for (int i = 0; i < 5; ++i) {
          expected_y[n * 3 + o] += whole[n * 5 + i] * whole_w[o * 5 + i];
          dx[n * 5 + i] += dy[n * 3 + o] * whole_w[o * 5 + i];
          dw[o * 5 + i] += dy[n * 3 + o] * whole[n * 5 + i];
        }
    EXPECT_EQ(values_of<double>(y.tensor), expected_y);
    EXPECT_EQ(values_of<double>(tape.gradient_of(x)), dx);
    EXPECT_EQ(values_of<double>(w.grad), dw);
  }
}

TEST(LinearGradient, WorksForZeroRows) {
  Context ctx;
  Parameter w = normal_parameter(ctx, {3, 5}, 1);
  Tape tape(ctx);
  ForwardContext f{.ctx = ctx, .tape = &tape};
  const Value x = tape.watch(Tensor::empty(ctx, DType::f64, {0, 5}));
  const Tape::Root root{project(f, ops::linear(f, x, w))};
  tape.backward({&root, 1});
  EXPECT_EQ(values_of<double>(w.grad), std::vector<double>(15, 0));
}

TEST(LinearGradient, RefusesAnotherWidth) {
  Context ctx;
  Parameter w = normal_parameter(ctx, {3, 5}, 1);
  ForwardContext f{.ctx = ctx};
  EXPECT_THROW(ops::linear(f, normal_tensor(ctx, {2, 4}, 1), w), Error);
}

TEST(EmbeddingGradient, AddsOverRepeatedIdsAndClearsTheRest) {
  Context ctx(2);
  Parameter table = normal_parameter(ctx, {7, 5}, 1);
  const Tensor id = tensor_of<std::int32_t>(ctx, {3, 0, 3, 6, 3, 0}, {6});
  const GradientCheck check = check_parameters(ctx, {}, {&table}, [&](ForwardContext& f, const auto&) {
    return project(f, ops::embedding(f, id, table));
  });
  EXPECT_LT(check.worst, kTolerance) << check.where;
  for (const int row : {1, 2, 4, 5})
    for (int d = 0; d < 5; ++d) EXPECT_EQ(table.grad.data<double>()[row * 5 + d], 0);
}

// The tied head: one table looks up and projects.
TEST(EmbeddingGradient, AddsToWhatAProjectionLeft) {
  Context ctx;
  Parameter table = normal_parameter(ctx, {7, 5}, 1);
  const Tensor id = tensor_of<std::int32_t>(ctx, {3, 0, 3}, {3});
  const GradientCheck check = check_parameters(ctx, {}, {&table}, [&](ForwardContext& f, const auto&) {
    return project(f, ops::linear(f, ops::embedding(f, id, table), table));
  });
  EXPECT_LT(check.worst, kTolerance) << check.where;
}

TEST(RmsNormGradient, MatchesFiniteDifferences) {
  for (const auto& [N, D] : {std::array{1, 1}, {1, 33}, {33, 7}, {3, 129}}) {
    Context ctx(2);
    Parameter w = normal_parameter(ctx, {D}, 1);
    const GradientCheck check = check_all(
        ctx, {normal_tensor(ctx, {N, D}, 2)}, {&w},
        [&](ForwardContext& f, const auto& in) { return project(f, ops::rms_norm(f, in[0], w, 1e-2)); });
    EXPECT_LT(check.worst, kTolerance) << N << " " << D << ": " << check.where;
  }
}

// Rows of queries, keys and values; values must come through as they are. Without a tape the input is overwritten.
TEST(QkNormGradient, MatchesFiniteDifferences) {
  struct Shapes {
    std::int64_t N, q, k;
  };
  for (const auto& [N, Q, K] : {Shapes{1, 2, 2}, {33, 8, 4}, {3, 129, 33}}) {
    Context ctx(2);
    Parameter q = normal_parameter(ctx, {Q}, 1), k = normal_parameter(ctx, {K}, 2);
    const GradientCheck check = check_all(ctx, {normal_tensor(ctx, {N, Q + 2 * K}, 3)}, {&q, &k},
                                          [&](ForwardContext& f, const auto& in) {
                                            return project(f, ops::qk_norm(f, copy_of(f, in[0]), q, k, 1e-2));
                                          });
    EXPECT_LT(check.worst, kTolerance) << N << " " << Q << ": " << check.where;
  }
}

TEST(QkNorm, WidthsThatDoNotFitARowAreAProgrammingError) {
  Context ctx;
  Parameter q = normal_parameter(ctx, {4}, 1), k = normal_parameter(ctx, {3}, 2);
  ForwardContext f{.ctx = ctx};
  EXPECT_THROW(ops::qk_norm(f, normal_tensor(ctx, {2, 8}, 3), q, k, 1e-2), Error);
}

TEST(AddGradient, GoesToBothSides) {
  Context ctx;
  Parameter w = normal_parameter(ctx, {11}, 3);
  const GradientCheck check = check_all(ctx, {normal_tensor(ctx, {3, 11}, 1), normal_tensor(ctx, {3, 11}, 2)},
                                        {}, [&](ForwardContext& f, const auto& in) {
                                          const Value sum = ops::add(f, ops::add(f, in[0], in[1]), in[0]);
                                          return project(f, ops::rms_norm(f, sum, w, 1e-3));
                                        });
  EXPECT_LT(check.worst, kTolerance) << check.where;
  ForwardContext f{.ctx = ctx};
  EXPECT_THROW(ops::add(f, normal_tensor(ctx, {2, 3}, 1), normal_tensor(ctx, {3, 2}, 1)), Error);
}

TEST(GroupedFfnGradient, MatchesFiniteDifferencesWithEmptyExpertsAndUnusedRows) {
  struct Case {
    std::int64_t D, F;
    std::vector<std::int32_t> offset;
    std::int64_t unused;
  };
  for (const Case& c : {Case{1, 1, {0, 1}, 0},
                        {5, 7, {0, 3, 3, 8}, 2},
                        {33, 9, {0, 0, 0, 31, 31}, 1},
                        {3, 32, {0, 2, 35}, 0}}) {
    Context ctx(2);
    const auto E = static_cast<std::int64_t>(c.offset.size()) - 1, kept = std::int64_t{c.offset.back()};
    Parameter gate_up = normal_parameter(ctx, {E, 2 * c.F, c.D}, 1),
              down = normal_parameter(ctx, {E, c.D, c.F}, 2);
    const Tensor offset = tensor_of<std::int32_t>(ctx, c.offset, {E + 1});
    const auto function = [&](ForwardContext& f, const std::vector<Value>& in) {
      return project(f, ops::grouped_ffn(f, in[0], gate_up, down, offset), 7, kept * c.D);
    };
    const Tensor rows = normal_tensor(ctx, {kept, c.D}, 3);
    EXPECT_LT(check_all(ctx, {rows}, {&gate_up, &down}, function).worst, kTolerance) << c.D << " " << c.F;
    // Unused rows at the end hold NaN and change nothing.
    std::vector<double> more = values_of<double>(rows);
    more.resize(static_cast<std::size_t>((kept + c.unused) * c.D), NAN);
    const Tensor longer = tensor_of<double>(ctx, more, {kept + c.unused, c.D});
    const GradientCheck check = check_parameters(ctx, {longer}, {&gate_up, &down}, function);
    EXPECT_LT(check.worst, kTolerance) << c.D << " " << c.F << ": " << check.where;
  }
}

// Micro-batches: a gradient that stands is added to, exactly.
TEST(ParameterGradients, AddOverTwoPassesForEveryOperation) {
  Context ctx;
  Parameter table = normal_parameter(ctx, {7, 6}, 1), norm = normal_parameter(ctx, {6}, 2),
            w = normal_parameter(ctx, {6, 6}, 3);
  Parameter gate_up = normal_parameter(ctx, {2, 10, 6}, 4), down = normal_parameter(ctx, {2, 6, 5}, 5);
  const Tensor id = tensor_of<std::int32_t>(ctx, {3, 0, 3, 5}, {4}),
               offset = tensor_of<std::int32_t>(ctx, {0, 1, 4}, {3});
  const std::vector<Parameter*> all{&table, &norm, &w, &gate_up, &down};
  const auto pass = [&] {
    Tape tape(ctx);
    ForwardContext f{.ctx = ctx, .tape = &tape};
    const Value x = ops::linear(f, ops::rms_norm(f, ops::embedding(f, id, table), norm, 1e-5), w);
    const Tape::Root root{project(f, ops::grouped_ffn(f, x, gate_up, down, offset))};
    tape.backward({&root, 1});
  };
  pass();
  std::vector<std::vector<double>> twice;
  for (Parameter* p : all) {
    twice.push_back(values_of<double>(p->grad));
    for (double& d : twice.back()) d *= 2;
  }
  pass();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_TRUE(close(values_of<double>(all[i]->grad), twice[i], {1e-14, 1e-13})) << i;
}

TEST(GroupedFfn, RefusesShapesThatDoNotFit) {
  Context ctx;
  Parameter gate_up = normal_parameter(ctx, {2, 6, 4}, 1), down = normal_parameter(ctx, {2, 4, 3}, 2);
  ForwardContext f{.ctx = ctx};
  const Tensor good = tensor_of<std::int32_t>(ctx, {0, 1, 2}, {3}),
               bad = tensor_of<std::int32_t>(ctx, {0, 2}, {2});
  EXPECT_NO_THROW(ops::grouped_ffn(f, normal_tensor(ctx, {2, 4}, 1), gate_up, down, good));
  EXPECT_THROW(ops::grouped_ffn(f, normal_tensor(ctx, {2, 4}, 1), gate_up, down, bad), Error);
  EXPECT_THROW(ops::grouped_ffn(f, normal_tensor(ctx, {2, 5}, 1), gate_up, down, good), Error);
}

}  // namespace
}  // namespace moe::testing
