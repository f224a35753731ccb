#include <gtest/gtest.h>

#include <algorithm>

#include "common/ops/ops.hpp"
#include "tests/support/gradients.hpp"

namespace moe::testing {
namespace {

constexpr std::int64_t kRows = 32, kWidth = 32, kDepth = 12;  // a (rows, width) tensor is 8 KiB

// A stack of norm + linear blocks with residuals, each block recomputed or not.
struct Stack {
  Context ctx;
  std::vector<Parameter> weight, norm;

  Stack() {
    for (std::int64_t l = 0; l < kDepth; ++l) {
      weight.push_back(normal_parameter(ctx, {kWidth, kWidth}, 10 + l));
      norm.push_back(normal_parameter(ctx, {kWidth}, 40 + l));
    }
  }
  Value block(ForwardContext& f, const Value& x, std::int64_t l) {
    const Value normed = ops::rms_norm(f, x, norm[l], 1e-5);
    const Value hidden = ops::linear(f, ops::linear(f, normed, weight[l]), weight[l]);
    return ops::add(f, x, ops::rms_norm(f, hidden, norm[l], 1e-5));
  }
  Value forward(ForwardContext& f, Value x, bool again) {
    for (std::int64_t l = 0; l < kDepth; ++l) {
      if (!again)
        x = block(f, x, l);
      else
        x = ops::recompute(f, {x}, [this, l](ForwardContext& inner, const std::vector<Value>& in) {
          return std::vector<Value>{block(inner, in[0], l)};
        })[0];
    }
    return project(f, x);
  }
};

struct Outcome {
  std::vector<double> input_gradient;
  std::vector<std::vector<double>> parameter_gradients;
  std::size_t peak;
  double loss;
};

Outcome run(bool again) {
  Stack stack;
  Tape tape(stack.ctx);
  ForwardContext f{.ctx = stack.ctx, .tape = &tape};
  const Value x = tape.watch(normal_tensor(stack.ctx, {kRows, kWidth}, 1));
  const Tape::Root root{stack.forward(f, x, again)};
  tape.backward({&root, 1});
  Outcome o{values_of<double>(tape.gradient_of(x)),
            {},
            stack.ctx.allocator->peak_bytes(),
            scalar_of(root.value.tensor)};
  for (Parameter& p : stack.weight) o.parameter_gradients.push_back(values_of<double>(p.grad));
  for (Parameter& p : stack.norm) o.parameter_gradients.push_back(values_of<double>(p.grad));
  return o;
}

TEST(Recompute, GivesTheSameBytesWithALowerPeak) {
  const Outcome plain = run(false), again = run(true);
  EXPECT_EQ(plain.loss, again.loss);
  EXPECT_EQ(plain.input_gradient, again.input_gradient);
  EXPECT_EQ(plain.parameter_gradients, again.parameter_gradients);
  EXPECT_LT(again.peak, plain.peak * 2 / 3);
}

// Nothing that comes in is differentiable, but there are parameters inside: the embedding and the first block.
TEST(Recompute, ParametersInsideGetGradientsThoughTheInputsAreConstants) {
  Context ctx;
  Parameter table = normal_parameter(ctx, {5, 4}, 1), w = normal_parameter(ctx, {3, 4}, 2);
  const Tensor id = tensor_of<std::int32_t>(ctx, {4, 0, 4}, {3});
  const Tensor x = normal_tensor(ctx, {3, 4}, 3);
  const GradientCheck check = check_parameters(ctx, {}, {&table, &w}, [&](ForwardContext& f, const auto&) {
    const auto out = ops::recompute(f, {Value(x)}, [&](ForwardContext& inner, const std::vector<Value>& in) {
      return std::vector<Value>{
          ops::linear(inner, ops::add(inner, in[0], ops::embedding(inner, id, table)), w)};
    });
    return project(f, out[0]);
  });
  EXPECT_LT(check.worst, 1e-6) << check.where;
}

TEST(Recompute, HandsOnSeveralInputsAndOutputsAndLossesOfItsOwn) {
  Context ctx;
  Parameter w = normal_parameter(ctx, {4, 6}, 1);
  const Tensor count = tensor_of<std::int32_t>(ctx, {3, 0, 1, 2}, {4});
  const auto function = [&](ForwardContext& f, const std::vector<Value>& in) {
    const auto out = ops::recompute(f, in, [&](ForwardContext& inner, const std::vector<Value>& x) {
      EXPECT_EQ(inner.losses, nullptr);
      EXPECT_EQ(inner.metrics, nullptr);
      const Value scores = ops::linear(inner, ops::add(inner, x[0], x[1]), w);
      const ops::SoftmaxResult soft = ops::softmax(inner, scores);
      return std::vector<Value>{soft.probability, ops::balance_loss(inner, soft.probability, count), x[0]};
    });
    return ops::add(f, project(f, out[0]), out[1]);  // nobody wants the third
  };
  const GradientCheck check =
      check_all(ctx, {normal_tensor(ctx, {3, 6}, 2), normal_tensor(ctx, {3, 6}, 3)}, {&w}, function);
  EXPECT_LT(check.worst, 1e-6) << check.where;
}

TEST(Recompute, NestsInItself) {
  Context ctx;
  Parameter w = normal_parameter(ctx, {5, 5}, 1);
  const auto once = [&](ForwardContext& f, const std::vector<Value>& in) {
    return std::vector<Value>{ops::linear(f, in[0], w)};
  };
  const auto twice = [&](ForwardContext& f, const std::vector<Value>& in) {
    return ops::recompute(f, ops::recompute(f, in, once), once);
  };
  const GradientCheck check = check_all(ctx, {normal_tensor(ctx, {3, 5}, 2)}, {&w},
                                        [&](ForwardContext& f, const std::vector<Value>& in) {
                                          return project(f, ops::recompute(f, in, twice)[0]);
                                        });
  EXPECT_LT(check.worst, 1e-6) << check.where;
}

// A gradient exchange that starts from the hook must hear of parameters inside a segment too, once, when complete.
TEST(Recompute, TellsTheHookOfParametersInsideASegment) {
  Context ctx;
  Parameter inside = normal_parameter(ctx, {4, 4}, 1), outside = normal_parameter(ctx, {4, 4}, 2);
  Tape tape(ctx);
  std::vector<Parameter*> calls;
  tape.on_parameter_ready = [&](Parameter& p) { calls.push_back(&p); };
  ForwardContext f{.ctx = ctx, .tape = &tape};
  const Value x = ops::linear(f, normal_tensor(ctx, {3, 4}, 3), outside);
  const auto segment = [&](ForwardContext& inner, const std::vector<Value>& in) {
    return std::vector<Value>{ops::linear(inner, ops::linear(inner, in[0], inside), inside)};
  };
  const Tape::Root root{project(f, ops::recompute(f, {x}, segment)[0])};
  tape.backward({&root, 1});
  EXPECT_EQ(calls, (std::vector<Parameter*>{&inside, &outside}));
}

}  // namespace
}  // namespace moe::testing
