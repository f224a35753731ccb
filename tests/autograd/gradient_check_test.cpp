// The checker itself: it must pass what is right and catch what is wrong.
#include "common/autograd/gradient_check.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/gradients.hpp"

namespace moe::testing {
namespace {

// Σ x³, with a gradient that the test may spoil.
Value cubes(Context& ctx, Tape& tape, const Value& x,
            const std::function<double(std::int64_t, double)>& gradient) {
  double sum = 0;
  for (const double v : values_of<double>(x.tensor)) sum += v * v * v;
  return tape.record({x}, tensor_of<double>(ctx, {sum}, {1}), [x = x.tensor, gradient](Gradients& g) {
    const Tensor d = Tensor::empty(g.ctx, DType::f64, x.shape());
    for (std::int64_t i = 0; i < d.numel(); ++i)
      d.data<double>()[i] = *g.of_output().data<double>() * gradient(i, x.data<double>()[i]);
    g.give(0, d);
  });
}

GradientCheck check_cubes(const std::function<double(std::int64_t, double)>& gradient,
                          std::int64_t samples = 200) {
  Context ctx;
  return check_gradients(
      ctx, {normal_tensor(ctx, {5, 7}, 3)},
      [&](Tape& tape, const std::vector<Value>& in) { return cubes(ctx, tape, in[0], gradient); }, samples);
}

TEST(GradientCheck, PassesTheRightGradient) {
  const GradientCheck check = check_cubes([](std::int64_t, double x) { return 3 * x * x; });
  EXPECT_LT(check.worst, 1e-7) << check.where;
}

TEST(GradientCheck, CatchesAGradientThatIsOnePercentOff) {
  EXPECT_GT(check_cubes([](std::int64_t, double x) { return 3.03 * x * x; }).worst, 1e-3);
}

TEST(GradientCheck, CatchesOneWrongElementAndNamesIt) {
  const GradientCheck check =
      check_cubes([](std::int64_t i, double x) { return i == 34 ? 2 * x * x : 3 * x * x; });
  EXPECT_GT(check.worst, 0.1);
  EXPECT_NE(check.where.find("input 0 [34]"), std::string::npos) << check.where;
}

TEST(GradientCheck, CatchesZerosNaNAndTheWrongSign) {
  EXPECT_GT(check_cubes([](std::int64_t, double) { return 0.0; }).worst, 0.5);
  EXPECT_GT(check_cubes([](std::int64_t i, double x) { return i == 11 ? NAN : 3 * x * x; }).worst, 0.5);
  EXPECT_GT(check_cubes([](std::int64_t, double x) { return -3 * x * x; }).worst, 0.5);
}

TEST(GradientCheck, CatchesAForgottenInput) {
  Context ctx;
  const auto function = [&](Tape& tape, const std::vector<Value>& in) {
    const double a = scalar_of(in[0].tensor), b = scalar_of(in[1].tensor);
    return tape.record({in[0], in[1]}, tensor_of<double>(ctx, {a * b}, {1}),
                       [&ctx, b](Gradients& g) { g.give(0, tensor_of<double>(ctx, {b}, {1})); });
  };
  const GradientCheck check =
      check_gradients(ctx, {normal_tensor(ctx, {1}, 1), normal_tensor(ctx, {1}, 2)}, function);
  EXPECT_GT(check.worst, 0.5);
  EXPECT_NE(check.where.find("input 1 [0]"), std::string::npos) << check.where;
}

TEST(GradientCheck, LeavesTheInputsAsTheyWere) {
  Context ctx;
  const Tensor x = normal_tensor(ctx, {9}, 5);
  const std::vector<double> before = values_of<double>(x);
  check_gradients(ctx, {x}, [&](Tape& tape, const std::vector<Value>& in) {
    return cubes(ctx, tape, in[0], [](std::int64_t, double v) { return 3 * v * v; });
  });
  EXPECT_EQ(values_of<double>(x), before);
}

TEST(ParameterCheck, CatchesAWrongAndAMissingGradient) {
  Context ctx;
  Parameter p = normal_parameter(ctx, {4}, 2);
  const auto function = [&](double factor) {
    return [&, factor](ForwardContext& f, const std::vector<Value>&) {
      Tape unused(f.ctx);
      const Value w = f.tape ? f.tape->leaf(p) : Value(p.value);
      return cubes(f.ctx, f.tape ? *f.tape : unused, w,
                   [factor](std::int64_t, double x) { return factor * x * x; });
    };
  };
  EXPECT_LT(check_parameters(ctx, {}, {&p}, function(3)).worst, 1e-7);
  EXPECT_GT(check_parameters(ctx, {}, {&p}, function(3.1)).worst, 1e-3);
  Parameter stranger = normal_parameter(ctx, {4}, 2);
  EXPECT_GT(check_parameters(ctx, {}, {&stranger}, function(3)).worst, 1);
}

}  // namespace
}  // namespace moe::testing
