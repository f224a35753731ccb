// softmax, top_k_gate, the row movers and the losses: finite differences in f64.
#include <gtest/gtest.h>

#include <cmath>

#include "common/ops/ops.hpp"
#include "kernels/routing_plan/routing_plan.hpp"
#include "tests/support/gradients.hpp"

namespace moe::testing {
namespace {

constexpr double kTolerance = 1e-6;

Tensor integers(Context& ctx, const std::vector<std::int32_t>& values) {
  return tensor_of<std::int32_t>(ctx, values, {static_cast<std::int64_t>(values.size())});
}

TEST(SoftmaxGradient, MatchesFiniteDifferences) {
  for (const auto& [N, E] : {std::array{1, 1}, {1, 2}, {33, 5}, {2, 129}}) {
    Context ctx(2);
    const GradientCheck check = check_all(
        ctx, {normal_tensor(ctx, {N, E}, 1)}, {},
        [&](ForwardContext& f, const auto& in) { return project(f, ops::softmax(f, in[0]).probability); });
    EXPECT_LT(check.worst, kTolerance) << N << " " << E << ": " << check.where;
  }
}

// Scores of a row are 1, 2, .. E shuffled, plus a little: gaps far above the step, so that no choice flips.
Tensor separated_scores(Context& ctx, std::int64_t N, std::int64_t E) {
  std::vector<double> s(static_cast<std::size_t>(N * E));
  for (std::int64_t i = 0; i < N * E; ++i)
    s[i] = static_cast<double>((i % E * 7 + i / E) % E + 1) +
           0.1 * uniform({.seed = 9}, static_cast<std::uint64_t>(i));
  return tensor_of<double>(ctx, s, {N, E});
}

TEST(TopKGateGradient, MatchesFiniteDifferencesRenormalisedOrNot) {
  for (const bool renormalise : {false, true})
    for (const auto& [N, E, K] : {std::array{1, 1, 1}, {3, 5, 1}, {33, 8, 2}, {4, 6, 6}, {2, 33, 5}}) {
      Context ctx(2);
      const GradientCheck check =
          check_all(ctx, {separated_scores(ctx, N, E)}, {}, [&, K = K](ForwardContext& f, const auto& in) {
            return project(f, ops::top_k_gate(f, in[0], K, renormalise).weight);
          });
      EXPECT_LT(check.worst, kTolerance) << N << " " << E << " " << K << ": " << check.where;
    }
}

TEST(TopKGate, RenormalisesOnlyWhenAsked) {
  Context ctx;
  ForwardContext f{.ctx = ctx};
  const Tensor score = tensor_of<double>(ctx, {1, 4, 2, 0.5, 8, 8}, {2, 3});
  const ops::TopK raw = ops::top_k_gate(f, score, 2, false), shared = ops::top_k_gate(f, score, 2, true);
  EXPECT_EQ(values_of<std::int32_t>(raw.expert), (std::vector<std::int32_t>{1, 2, 1, 2}));
  EXPECT_EQ(values_of<std::int32_t>(shared.expert), (std::vector<std::int32_t>{1, 2, 1, 2}));
  EXPECT_EQ(values_of<double>(raw.weight.tensor), (std::vector<double>{4, 2, 8, 8}));
  EXPECT_EQ(values_of<double>(shared.weight.tensor), (std::vector<double>{4.0 / 6, 2.0 / 6, 0.5, 0.5}));
}

TEST(CrossEntropyGradient, MatchesFiniteDifferencesAndIgnoresNegativeTargets) {
  for (const std::vector<std::int32_t>& target :
       {std::vector<std::int32_t>{2, -1, 0, 4, -100, 2}, {1, 1, 1, 1, 1, 1}, {-1, -1, 3, -1, -1, -1}}) {
    Context ctx(2);
    const Tensor t = integers(ctx, target);
    const GradientCheck check =
        check_all(ctx, {normal_tensor(ctx, {6, 5}, 1)}, {}, [&](ForwardContext& f, const auto& in) {
          return ops::cross_entropy(f, copy_of(f, in[0]), t);  // consumes its input
        });
    EXPECT_LT(check.worst, kTolerance) << check.where;
  }
}

TEST(CrossEntropyGradient, ScalesWithTheWeightOfItsRoot) {
  Context ctx;
  const auto gradient = [&](double weight) {
    Tape tape(ctx);
    ForwardContext f{.ctx = ctx, .tape = &tape};
    const Value x = tape.watch(normal_tensor(ctx, {2, 5}, 1));
    const Tape::Root root{.value = ops::cross_entropy(f, copy_of(f, x), integers(ctx, {1, 4})),
                          .weight = weight};
    tape.backward({&root, 1});
    return values_of<double>(tape.gradient_of(x));
  };
  auto expected = gradient(1);
  for (double& d : expected) d *= -8;
  EXPECT_TRUE(close(gradient(-8), expected));
}

TEST(CrossEntropy, WithNothingToCountIsZeroWithZeroGradient) {
  Context ctx;
  Tape tape(ctx);
  ForwardContext f{.ctx = ctx, .tape = &tape};
  const Value x = tape.watch(normal_tensor(ctx, {2, 3}, 1));
  const Tape::Root root{ops::cross_entropy(f, copy_of(f, x), integers(ctx, {-1, -1}))};
  EXPECT_EQ(scalar_of(root.value.tensor), 0);
  tape.backward({&root, 1});
  EXPECT_EQ(values_of<double>(tape.gradient_of(x)), std::vector<double>(6, 0));
}

TEST(RowLosses, AverageToTheLossAndLeaveTheLogitsAlone) {
  Context ctx;
  const Tensor x = normal_tensor(ctx, {4, 7}, 1), target = integers(ctx, {6, -1, 0, 3});
  const auto rows = values_of<double>(ops::row_losses(ctx, x, target));
  EXPECT_EQ(values_of<double>(x), values_of<double>(normal_tensor(ctx, {4, 7}, 1)));
  EXPECT_EQ(rows[1], 0);
  ForwardContext f{.ctx = ctx};
  EXPECT_NEAR(scalar_of(ops::cross_entropy(f, x, target).tensor), (rows[0] + rows[2] + rows[3]) / 3, 1e-14);
}

TEST(RouterLossGradient, MatchesFiniteDifferences) {
  for (const auto& [N, E] : {std::array{1, 1}, {33, 4}, {129, 3}}) {
    Context ctx(2);
    std::vector<std::int32_t> counts;
    for (int e = 0; e < E; ++e) counts.push_back(e * e % 5);
    counts[0] = 3;
    const Tensor count = integers(ctx, counts);
    const GradientCheck check =
        check_all(ctx, {normal_tensor(ctx, {N, E}, 1)}, {}, [&](ForwardContext& f, const auto& in) {
          const ops::SoftmaxResult soft = ops::softmax(f, in[0]);
          return ops::add(f, ops::balance_loss(f, soft.probability, count), ops::z_loss(f, in[0], soft));
        });
    EXPECT_LT(check.worst, kTolerance) << N << " " << E << ": " << check.where;
  }
}

// The losses of one pass are those of their own operations, and so are their gradients.
TEST(GateLosses, AreTheirPartsInOnePass) {
  Context ctx(2);
  const std::int64_t N = 65, E = 5, K = 2;
  std::vector<std::int32_t> choices;
  for (std::int64_t i = 0; i < N * K; ++i) choices.push_back(static_cast<std::int32_t>(i * i % 7) - 1);
  const Tensor expert = tensor_of<std::int32_t>(ctx, choices, {N, K}), x = normal_tensor(ctx, {N, E}, 1);
  const auto run = [&](bool one_pass) {
    Tape tape(ctx);
    ForwardContext f{.ctx = ctx, .tape = &tape};
    const Value logits = tape.watch(x);
    const ops::SoftmaxResult soft = ops::softmax(f, logits);
    const Tensor count = Tensor::empty(ctx, DType::i32, {E});
    histogram(ctx, count.data<std::int32_t>(), choices.data(), N * K, E);
    const auto [counted, balance, z] =
        one_pass ? ops::gate_losses(f, logits, soft, expert)
                 : ops::GateLosses{count, ops::balance_loss(f, soft.probability, count),
                                   ops::z_loss(f, logits, soft)};
    EXPECT_EQ(values_of<std::int32_t>(counted), values_of<std::int32_t>(count));
    std::vector<double> all{scalar_of(balance.tensor), scalar_of(z.tensor)};
    tape.backward(std::vector<Tape::Root>{{balance, 0.5}, {z, 0.25}});
    const auto gradient = values_of<double>(tape.gradient_of(logits));
    all.insert(all.end(), gradient.begin(), gradient.end());
    return all;
  };
  EXPECT_TRUE(close(run(true), run(false), {1e-14, 1e-14}));
}

TEST(DispatchGradient, MatchesFiniteDifferences) {
  Context ctx(2);
  const Tensor expert = integers(ctx, {2, 0, 2, -1, 0, 9}).reshape({3, 2});  // a drop, and no expert
  for (const std::int64_t D : {1, 5, 33}) {
    const auto function = [&](ForwardContext& f, const std::vector<Value>& in) {
      const ops::Dispatched d = ops::dispatch_rows(f, in[0], expert, 4);
      return project(f, ops::combine_rows(f, d.rows, in[1], d.map));
    };
    const GradientCheck check =
        check_all(ctx, {normal_tensor(ctx, {3, D}, 1), normal_tensor(ctx, {6}, 2)}, {}, function);
    EXPECT_LT(check.worst, kTolerance) << check.where;
  }
}

// Three tokens; rows in expert order: token 2, token 0, token 2 again, and one unused. Token 1 has no assignment, and one of
// token 0's two was dropped. Weights stand in the order in which experts chose.
struct DroppedRows {
  explicit DroppedRows(Context& ctx)
      : map{integers(ctx, {1, -1, 0, 2}), 0, integers(ctx, {0, 2, 2, 4}), integers(ctx, {1, 3, 0, 2})} {}
  ops::RowMap map;
};

TEST(RowMoverGradient, MatchesFiniteDifferencesWithDroppedRows) {
  for (const std::int64_t D : {1, 5, 33}) {
    Context ctx(2);
    const DroppedRows dropped(ctx);
    const auto function = [&](ForwardContext& f, const std::vector<Value>& in) {
      const Value rows = ops::gather_rows(f, in[0], dropped.map);
      return project(f, ops::combine_rows(f, rows, in[1], dropped.map));
    };
    const GradientCheck check =
        check_all(ctx, {normal_tensor(ctx, {3, D}, 1), normal_tensor(ctx, {4}, 2)}, {}, function);
    EXPECT_LT(check.worst, kTolerance) << check.where;
  }
}

TEST(RowMovers, GatherAndCombineByHand) {
  Context ctx;
  const DroppedRows dropped(ctx);
  Tape tape(ctx);
  ForwardContext f{.ctx = ctx, .tape = &tape};
  const Value x = tape.watch(tensor_of<double>(ctx, {1, 2, 10, 20, 100, 200}, {3, 2}));
  const Value weight = tape.watch(tensor_of<double>(ctx, {2, 3, 5, NAN}, {4}));
  const Value rows = ops::gather_rows(f, x, dropped.map);
  const auto gathered = values_of<double>(rows.tensor);
  EXPECT_EQ(std::vector<double>(gathered.begin(), gathered.begin() + 6),
            (std::vector<double>{100, 200, 1, 2, 100, 200}));
  const Value y = ops::combine_rows(f, rows, weight, dropped.map);
  EXPECT_EQ(values_of<double>(y.tensor), (std::vector<double>{3, 6, 0, 0, 700, 1400}));

  const Tape::Root root{.value = y, .gradient = tensor_of<double>(ctx, {1, 0, 1, 1, 0, 1}, {3, 2})};
  tape.backward({&root, 1});
  EXPECT_EQ(values_of<double>(tape.gradient_of(x)), (std::vector<double>{3, 0, 0, 0, 0, 7}));
  EXPECT_EQ(values_of<double>(tape.gradient_of(weight)), (std::vector<double>{200, 1, 200, 0}));
}

TEST(RowMovers, RefuseWeightsOfAnotherNumber) {
  Context ctx;
  const DroppedRows dropped(ctx);
  ForwardContext f{.ctx = ctx};
  EXPECT_THROW(ops::combine_rows(f, normal_tensor(ctx, {4, 2}, 1), normal_tensor(ctx, {3}, 2), dropped.map),
               Error);
}

}  // namespace
}  // namespace moe::testing
