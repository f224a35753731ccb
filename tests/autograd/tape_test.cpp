#include "common/autograd/tape.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/autograd/nodes.hpp"

namespace moe::testing {
namespace {

Floats gradient(const Tape& tape, const Value& watched) {
  return values_of<float>(tape.gradient_of(watched));
}

TEST(Tape, AChainMultipliesItsFactors) {
  Context ctx;
  Tape tape(ctx);
  const Value x = tape.watch(floats(ctx, {7}));
  run_backward(tape, scaled(ctx, tape, scaled_in_place(ctx, tape, scaled(ctx, tape, x, 2), 3), 5));
  EXPECT_EQ(gradient(tape, x), Floats{30});
}

TEST(Tape, AValueUsedTwiceGetsTheSumOfBothGradients) {
  using Node = Value (*)(Context&, Tape&, const Value&, float);
  for (const Node first : {scaled, scaled_in_place})
    for (const Node second : {scaled, scaled_in_place}) {
      Context ctx;
      Tape tape(ctx);
      const Value x = tape.watch(floats(ctx, {1}));
      const Value y = scaled(ctx, tape, x, 2);
      run_backward(tape, plus(ctx, tape, first(ctx, tape, y, 3), second(ctx, tape, y, 5)));
      EXPECT_EQ(gradient(tape, x), Floats{16});
    }
}

TEST(Tape, AValueAddedToItselfCountsTwice) {
  Context ctx;
  Tape tape(ctx);
  const Value x = tape.watch(floats(ctx, {1}));
  run_backward(tape, plus(ctx, tape, x, x));
  EXPECT_EQ(gradient(tape, x), Floats{2});
}

// All three get one and the same tensor from the sum; then the first gets more, in place or handed over.
TEST(Tape, BranchesThatShareOneGradientDoNotSeeEachOthersSums) {
  using Node = Value (*)(Context&, Tape&, const Value&, float);
  for (const Node side : {scaled, scaled_in_place})
    for (int again = 0; again < 3; ++again) {
      Context ctx;
      Tape tape(ctx);
      Value v[3];
      for (Value& one : v) one = tape.watch(floats(ctx, {1}));
      const Value extra = side(ctx, tape, v[again], 10);
      const Value sum = plus(ctx, tape, plus(ctx, tape, v[0], v[1]), v[2]);
      const Tape::Root roots[] = {{sum}, {extra}};
      tape.backward(roots);
      for (int i = 0; i < 3; ++i) EXPECT_EQ(gradient(tape, v[i]), Floats{i == again ? 11.f : 1.f}) << i;
    }
}

TEST(Tape, AResidualStreamOfThreeBlocks) {
  Context ctx;
  Tape tape(ctx);
  Parameter w[3];
  for (Parameter& p : w) p = float_parameter(ctx, {2, 3});
  const Value x = tape.watch(floats(ctx, {1, 1}));
  Value h = x;
  for (Parameter& p : w)
    h = plus(ctx, tape, h, times(ctx, tape, scaled_in_place(ctx, tape, h, 1), tape.leaf(p)));
  const Tape::Root root{.value = h, .gradient = floats(ctx, {1, 1})};
  tape.backward({&root, 1});
  EXPECT_EQ(gradient(tape, x), (Floats{27, 64}));                                     // (1 + w)^3
  for (const Parameter& p : w) EXPECT_EQ(values_of<float>(p.grad), (Floats{9, 16}));  // (1 + w)^2
}

TEST(Tape, ALeafUsedTwiceHasOneSlotAndGetsBothGradients) {
  Context ctx;
  Tape tape(ctx);
  Parameter p = float_parameter(ctx, {4});
  EXPECT_EQ(tape.leaf(p).slot, tape.leaf(p).slot);
  run_backward(
      tape, plus(ctx, tape, scaled(ctx, tape, tape.leaf(p), 2), scaled_in_place(ctx, tape, tape.leaf(p), 3)));
  EXPECT_EQ(values_of<float>(p.grad), Floats{5});
  EXPECT_TRUE(p.has_grad);
}

TEST(Tape, ConstantsRecordNothingAndGetNoGradient) {
  Context ctx;
  Tape tape(ctx);
  const Value c = floats(ctx, {3});
  const Value d = times(ctx, tape, c, c);
  EXPECT_FALSE(d.differentiable());
  EXPECT_EQ(tape.nodes(), 0u);

  const Value x = tape.watch(floats(ctx, {2}));
  bool wanted[2] = {};
  const Value y = tape.record({x, d}, floats(ctx, {0}), [&](Gradients& g) {
    for (int i = 0; i < 2; ++i) wanted[i] = g.wanted(i);
    EXPECT_THROW(g.target(1), Error);
    g.give(1, floats(g.ctx, {NAN}));  // nobody wants it: dropped
    g.give(0, floats(g.ctx, {9}));
  });
  run_backward(tape, y);
  EXPECT_TRUE(wanted[0]);
  EXPECT_FALSE(wanted[1]);
  EXPECT_EQ(gradient(tape, x), Floats{9});
}

TEST(Tape, NodesThatNoRootReachesDoNotRun) {
  Context ctx;
  Tape tape(ctx);
  Parameter used = float_parameter(ctx, {1}), unused = float_parameter(ctx, {1});
  const Value x = tape.watch(floats(ctx, {1}));
  tape.record({x, tape.leaf(unused)}, floats(ctx, {0}), [](Gradients&) { ADD_FAILURE() << "ran"; });
  run_backward(tape, times(ctx, tape, x, tape.leaf(used)));
  EXPECT_TRUE(used.has_grad);
  EXPECT_FALSE(unused.has_grad);
}

TEST(Tape, AnOutputThatNoRootReachesHasAnUndefinedGradient) {
  Context ctx;
  Tape tape(ctx);
  const Value x = tape.watch(floats(ctx, {1}));
  int runs = 0;
  const auto y =
      tape.record({x}, std::vector<Tensor>{floats(ctx, {0}), floats(ctx, {0, 0})}, [&](Gradients& g) {
        ++runs;
        EXPECT_FALSE(g.of_output(0).defined());
        EXPECT_EQ(values_of<float>(g.of_output(1)), (Floats{4, 5}));
        g.give(0, floats(g.ctx, {1}));
      });
  const Tape::Root root{.value = y[1], .gradient = floats(ctx, {4, 5})};
  tape.backward({&root, 1});
  EXPECT_EQ(runs, 1);
}

TEST(Tape, RootsHaveWeightsAndAdd) {
  Context ctx;
  Tape tape(ctx);
  const Value x = tape.watch(floats(ctx, {1}));
  const Value a = scaled(ctx, tape, x, 2), b = scaled(ctx, tape, x, 3);
  const Tape::Root roots[] = {{a, 10}, {b, 100}, {a, 1000}, {Value(floats(ctx, {1})), 5}};
  tape.backward(roots);
  EXPECT_EQ(gradient(tape, x), Floats{20 + 300 + 2000});
}

TEST(Tape, ARootsOwnGradientSurvivesTheBackwardPass) {
  Context ctx;
  Tape tape(ctx);
  const Value x = tape.watch(floats(ctx, {1, 1}));
  const Value y = plus(ctx, tape, x, x);
  const Tensor mine = floats(ctx, {5, 6});
  const Tape::Root roots[] = {{.value = y, .gradient = mine}, {.value = y, .gradient = mine}};
  tape.backward(roots);
  EXPECT_EQ(gradient(tape, x), (Floats{20, 24}));
  EXPECT_EQ(values_of<float>(mine), (Floats{5, 6}));
}

TEST(Tape, WrongSizesAreErrors) {
  Context ctx;
  Tape tape(ctx);
  const Value x = tape.watch(floats(ctx, {1, 2}));
  EXPECT_THROW(run_backward(tape, scaled(ctx, tape, x, 2)), Error);  // no scalar, no gradient
  Tape other(ctx);
  const Value y = other.record({other.watch(floats(ctx, {1, 2}))}, floats(ctx, {0}), [](Gradients& g) {
    g.give(0, floats(g.ctx, {1, 2, 3}));
  });
  EXPECT_THROW(run_backward(other, y), Error);
}

TEST(Tape, SeveralTapesAreAliveAtOnce) {
  Context ctx;
  Tape one(ctx), two(ctx);
  const Tensor shared = floats(ctx, {3});
  const Value x = one.watch(shared), y = two.watch(shared);
  const Value a = times(ctx, one, x, x), b = scaled(ctx, two, times(ctx, two, y, y), 10);
  run_backward(two, b);
  EXPECT_EQ(gradient(two, y), Floats{60});
  EXPECT_FALSE(one.gradient_of(x).defined());
  run_backward(one, a);
  EXPECT_EQ(gradient(one, x), Floats{6});
  EXPECT_EQ(gradient(two, y), Floats{60});
}

TEST(Tape, ATapeIsEmptyAfterBackwardAndCanBeUsedAgain) {
  Context ctx;
  Tape tape(ctx);
  Parameter p = float_parameter(ctx, {2});
  run_backward(tape, scaled(ctx, tape, tape.leaf(p), 3));
  EXPECT_EQ(tape.nodes(), 0u);
  run_backward(tape, scaled(ctx, tape, tape.leaf(p), 4));
  EXPECT_EQ(values_of<float>(p.grad), Floats{7});
}

}  // namespace
}  // namespace moe::testing
