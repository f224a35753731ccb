// The optimizer against the formulas of AdamW in double, over all parameters and several steps.
#include "common/train/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/compare.hpp"

namespace moe {
namespace {

using namespace moe::testing;

// Three parameters: one decays, one is a norm and does not, one gets no gradient.
struct Three {
  Context ctx{2};
  Parameter decayed = make_parameter(ctx, DType::f64, {5, 7}, 0.1);
  Parameter norm = make_parameter(ctx, DType::f64, {33}, 0);
  Parameter idle = make_parameter(ctx, DType::f64, {3}, 0.1);

  Three() {
    int seed = 0;
    visit([&](const std::string&, Parameter& p) {
      p.value = tensor_of(ctx, random_normal<double>(p.value.numel(), ++seed), p.value.shape());
    });
  }
  void visit(const ParameterVisitor& v) {
    v("decayed", decayed);
    v("norm", norm);
    v("idle", idle);
  }
  // Poison for `idle`: a gradient that nobody computed must not be read.
  void give_gradients(std::uint64_t step, double scale) {
    visit([&](const std::string& name, Parameter& p) {
      std::vector<double> g = random_normal<double>(p.value.numel(), 100 * step + name.size());
      for (double& x : g) x *= scale;
      if (name == "idle") g.assign(g.size(), NAN);
      p.grad = tensor_of(ctx, g, p.value.shape());
      p.has_grad = name != "idle";
    });
  }
};

struct Reference {
  std::vector<double> value, m, v;
  explicit Reference(const Parameter& p)
      : value(values_of<double>(p.value)), m(value.size()), v(value.size()) {}

  void step(const std::vector<double>& gradient, double clip, double rate, double decay, int step) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const double g = gradient[i] * clip;
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.95 * v[i] + 0.05 * g * g;
      const double m_hat = m[i] / (1 - std::pow(0.9, step)), v_hat = v[i] / (1 - std::pow(0.95, step));
      value[i] -= rate * (m_hat / (std::sqrt(v_hat) + 1e-8) + decay * value[i]);
    }
  }
};

double norm_of(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (const double x : a) sum += x * x;
  for (const double x : b) sum += x * x;
  return std::sqrt(sum);
}

TEST(Optimizer, FollowsAReferenceInDoubleOverStepsWithAndWithoutClipping) {
  Three three;
  Optimizer optimizer(three.ctx, {.learning_rate = 0, .weight_decay = 0.3, .max_norm = 2},
                      [&](const ParameterVisitor& v) { three.visit(v); });
  Reference decayed(three.decayed), norm(three.norm);
  const std::vector<double> idle = values_of<double>(three.idle.value);
  for (int step = 1; step <= 6; ++step) {
    const double scale = step % 2 ? 10 : 0.01, rate = 0.1 / step;  // far above and far below max_norm
    three.give_gradients(static_cast<std::uint64_t>(step), scale);
    const std::vector<double> g = values_of<double>(three.decayed.grad),
                              h = values_of<double>(three.norm.grad);
    const double length = norm_of(g, h), clip = std::min(1.0, 2 / (length + 1e-6));
    optimizer.step(step, rate);
    decayed.step(g, clip, rate, 0.3, step);
    norm.step(h, clip, rate, 0, step);
    EXPECT_TRUE(close(values_of<double>(three.decayed.value), decayed.value, {1e-12, 1e-12}))
        << "step " << step;
    EXPECT_TRUE(close(values_of<double>(three.norm.value), norm.value, {1e-12, 1e-12})) << "step " << step;
    EXPECT_TRUE(close(values_of<double>(three.idle.value), idle)) << "step " << step;
    EXPECT_NEAR(optimizer.gradient_norm(), length, 1e-12 * length);
    three.visit([](const std::string& name, Parameter& p) { EXPECT_FALSE(p.has_grad) << name; });
  }
  EXPECT_TRUE(close(values_of<double>(optimizer.items()[0].m), decayed.m, {1e-12, 1e-12}));
  EXPECT_TRUE(close(values_of<double>(optimizer.items()[1].v), norm.v, {1e-12, 1e-12}));
}

TEST(Optimizer, AParameterThatNoGradientReachedDoesNotEvenDecay) {
  Three three;
  Optimizer optimizer(three.ctx, {.learning_rate = 0, .weight_decay = 0.5},
                      [&](const ParameterVisitor& v) { three.visit(v); });
  const std::vector<double> before = values_of<double>(three.decayed.value);
  optimizer.step(1, 1);
  EXPECT_TRUE(close(values_of<double>(three.decayed.value), before));
  EXPECT_EQ(optimizer.gradient_norm(), 0);
}

TEST(Optimizer, CallsWhatComesAfterAStepOnceWithOrWithoutAGradient) {
  Three model;
  int calls = 0;
  model.decayed.after_step = model.idle.after_step = [&](Context& ctx) { calls += &ctx == &model.ctx; };
  Optimizer optimizer(model.ctx, {.learning_rate = 0}, [&](const ParameterVisitor& v) { model.visit(v); });
  EXPECT_EQ(calls, 0);
  model.give_gradients(1, 1);
  optimizer.step(1, 0.1);
  EXPECT_EQ(calls, 2);
}

TEST(Optimizer, VisitsParametersInTheOrderOfTheModel) {
  Three three;
  Optimizer optimizer(three.ctx, {.learning_rate = 0}, [&](const ParameterVisitor& v) { three.visit(v); });
  ASSERT_EQ(optimizer.items().size(), 3u);
  EXPECT_EQ(optimizer.items()[0].name, "decayed");
  EXPECT_EQ(optimizer.items()[2].parameter, &three.idle);
}

TEST(WarmupCosine, HasTheValuesComputedByHand) {
  // 100 steps, 10 of warm-up, peak 1, down to 0.1.
  EXPECT_DOUBLE_EQ(warmup_cosine(0, 100, 10, 1), 0.1);
  EXPECT_DOUBLE_EQ(warmup_cosine(4, 100, 10, 1), 0.5);
  EXPECT_DOUBLE_EQ(warmup_cosine(9, 100, 10, 1), 1);
  EXPECT_DOUBLE_EQ(warmup_cosine(10, 100, 10, 1), 1);
  EXPECT_DOUBLE_EQ(warmup_cosine(40, 100, 10, 1), 0.1 + 0.9 * 0.75);  // a third of the way: (1 + cos 60°) / 2
  EXPECT_DOUBLE_EQ(warmup_cosine(55, 100, 10, 1), 0.55);              // half way
  EXPECT_DOUBLE_EQ(warmup_cosine(100, 100, 10, 1), 0.1);
  EXPECT_DOUBLE_EQ(warmup_cosine(1000, 100, 10, 1), 0.1);
  EXPECT_DOUBLE_EQ(warmup_cosine(145, 100, 10, 1), 0.1);  // the cosine does not come back
  EXPECT_DOUBLE_EQ(warmup_cosine(55, 100, 10, 4, 0), 2);
}

TEST(WarmupCosine, KnowsRunsWithoutWarmUpAndRunsThatAreAllWarmUp) {
  EXPECT_DOUBLE_EQ(warmup_cosine(0, 1, 0, 3), 3);
  EXPECT_DOUBLE_EQ(warmup_cosine(0, 1, 1, 3), 3);
  EXPECT_DOUBLE_EQ(warmup_cosine(1, 1, 1, 3),
                   3);  // past the end of a schedule without a cosine: its first value
}

TEST(WarmupCosine, RisesThenFalls) {
  for (int step = 1; step < 200; ++step) {
    const double before = warmup_cosine(step - 1, 200, 20, 1), now = warmup_cosine(step, 200, 20, 1);
    if (step < 20) {
      EXPECT_GT(now, before) << step;
    } else if (step > 20) {
      EXPECT_LT(now, before) << step;
    }
  }
}

}  // namespace
}  // namespace moe
