// What a backward pass does to parameters: accumulation, overwriting, and the hook.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/autograd/nodes.hpp"

namespace moe::testing {
namespace {

using Node = Value (*)(Context&, Tape&, const Value&, float);

void one_pass(Context& ctx, Parameter& p, Node node, float factor) {
  Tape tape(ctx);
  run_backward(tape, node(ctx, tape, tape.leaf(p), factor));
}

TEST(ParameterGradient, AddsOverPassesWhileItStands) {
  for (const Node node : {scaled, scaled_in_place}) {
    Context ctx;
    Parameter p = float_parameter(ctx, {1});
    one_pass(ctx, p, node, 3);
    one_pass(ctx, p, node, 4);
    EXPECT_EQ(values_of<float>(p.grad), Floats{7});
  }
}

TEST(ParameterGradient, OverwritesPoisonOnceCleared) {
  for (const Node node : {scaled, scaled_in_place}) {
    Context ctx;
    Parameter p = float_parameter(ctx, {1});
    p.grad = floats(ctx, {NAN});
    one_pass(ctx, p, node, 3);
    EXPECT_EQ(values_of<float>(p.grad), Floats{3});
    p.has_grad = false;
    one_pass(ctx, p, node, 4);
    EXPECT_EQ(values_of<float>(p.grad), Floats{4});
  }
}

TEST(ParameterGradient, ReusesItsStorage) {
  Context ctx;
  Parameter p = float_parameter(ctx, {1});
  one_pass(ctx, p, scaled_in_place, 3);
  const std::byte* storage = p.grad.raw();
  p.has_grad = false;
  one_pass(ctx, p, scaled_in_place, 3);
  one_pass(ctx, p, scaled_in_place, 3);
  EXPECT_EQ(p.grad.raw(), storage);
}

// A sum hands one tensor to both parameters. A later pass that overwrites or adds to one must not change the other.
TEST(ParameterGradient, TwoParametersThatGotOneTensorStayApart) {
  for (const Node node : {scaled, scaled_in_place})
    for (const bool cleared : {false, true}) {
      Context ctx;
      Parameter p = float_parameter(ctx, {1}), q = float_parameter(ctx, {1});
      Tape tape(ctx);
      run_backward(tape, plus(ctx, tape, tape.leaf(p), tape.leaf(q)));
      p.has_grad = !cleared;
      one_pass(ctx, p, node, 10);
      EXPECT_EQ(values_of<float>(p.grad), Floats{cleared ? 10.f : 11.f});
      EXPECT_EQ(values_of<float>(q.grad), Floats{1});
    }
}

struct Calls {
  std::vector<Parameter*> order;
  std::map<Parameter*, Floats> gradient;  // as it stood at the call
  void listen(Tape& tape) {
    tape.on_parameter_ready = [this](Parameter& p) {
      order.push_back(&p);
      gradient[&p] = values_of<float>(p.grad);
    };
  }
};

TEST(ParameterReady, IsCalledOnceEachInReverseOrderOfUse) {
  Context ctx;
  Tape tape(ctx);
  Calls calls;
  calls.listen(tape);
  Parameter a = float_parameter(ctx, {2}), b = float_parameter(ctx, {3}), c = float_parameter(ctx, {5});
  const Value ab = times(ctx, tape, tape.leaf(a), tape.leaf(b));
  run_backward(tape, scaled_in_place(ctx, tape, times(ctx, tape, ab, tape.leaf(c)), 7));
  ASSERT_EQ(calls.order.size(), 3u);
  EXPECT_EQ(calls.order[0], &c);
  EXPECT_EQ(calls.gradient[&a], Floats{105});
  EXPECT_EQ(calls.gradient[&b], Floats{70});
  EXPECT_EQ(calls.gradient[&c], Floats{42});
}

TEST(ParameterReady, WaitsForTheLastUse) {
  Context ctx;
  Tape tape(ctx);
  Calls calls;
  calls.listen(tape);
  Parameter tied = float_parameter(ctx, {2}), other = float_parameter(ctx, {3});
  const Value first = scaled_in_place(ctx, tape, tape.leaf(tied), 10);
  const Value middle = times(ctx, tape, first, tape.leaf(other));
  run_backward(tape, times(ctx, tape, middle, tape.leaf(tied)));
  ASSERT_EQ(calls.order.size(), 2u);
  EXPECT_EQ(calls.order[0], &other);
  EXPECT_EQ(calls.gradient[&tied], Floats{120});  // d(10·tied²·other)
}

TEST(ParameterReady, CountsUsesThatNoRootReaches) {
  Context ctx;
  Tape tape(ctx);
  Calls calls;
  calls.listen(tape);
  Parameter used = float_parameter(ctx, {2}), unused = float_parameter(ctx, {3});
  scaled(ctx, tape, tape.leaf(used), 1000);  // leads nowhere
  const Value y = scaled(ctx, tape, tape.leaf(used), 7);
  scaled(ctx, tape, tape.leaf(used), 1000);
  scaled(ctx, tape, tape.leaf(unused), 1);
  run_backward(tape, y);
  ASSERT_EQ(calls.order, std::vector<Parameter*>{&used});
  EXPECT_EQ(calls.gradient[&used], Floats{7});
}

}  // namespace
}  // namespace moe::testing
