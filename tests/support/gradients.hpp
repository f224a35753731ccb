// What gradient tests need besides common/autograd/gradient_check.hpp: a scalar out of any tensor, and finite differences
// over parameters. Everything in f64.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "common/autograd/forward_context.hpp"
#include "common/autograd/gradient_check.hpp"
#include "tests/support/compare.hpp"

namespace moe::testing {

inline Tensor normal_tensor(Context& ctx, Shape shape, std::uint64_t seed) {
  return tensor_of<double>(ctx, random_normal<double>(element_count(shape), seed), shape);
}

// A parameter with N(0, 1) values; what its gradient would hold is poison until somebody writes it.
inline Parameter normal_parameter(Context& ctx, Shape shape, std::uint64_t seed) {
  Parameter p = make_parameter(ctx, DType::f64, shape, 1);
  p.value = normal_tensor(ctx, shape, seed);
  p.grad = tensor_of<double>(ctx, std::vector<double>(static_cast<std::size_t>(p.value.numel()), NAN), shape);
  return p;
}

// Σ c·y over the first `count` elements (all of them by default), c from N(0, 1): a scalar that feels every element.
inline Value project(ForwardContext& f, const Value& y, std::uint64_t seed = 77, std::int64_t count = -1) {
  const std::vector<double> c = random_normal<double>(count < 0 ? y.tensor.numel() : count, seed);
  double sum = 0;
  for (std::size_t i = 0; i < c.size(); ++i) sum += c[i] * y.tensor.data<double>()[i];
  const Tensor loss = tensor_of<double>(f.ctx, {sum}, {1});
  if (!f.tape) return loss;
  return f.tape->record({y}, loss, [c, shape = y.tensor.shape()](Gradients& g) {
    const Tensor d = Tensor::zeros(g.ctx, DType::f64, shape);
    for (std::size_t i = 0; i < c.size(); ++i) d.data<double>()[i] = c[i] * *g.of_output().data<double>();
    g.give(0, d);
  });
}

// factor·x of a scalar x.
inline Value scaled(ForwardContext& f, const Value& x, double factor) {
  const Tensor y = tensor_of<double>(f.ctx, {factor * scalar_of(x.tensor)}, {1});
  if (!f.tape) return y;
  return f.tape->record({x}, y, [factor](Gradients& g) {
    g.give(0, tensor_of<double>(g.ctx, {factor * *g.of_output().data<double>()}, {1}));
  });
}

// A copy in storage of its own, for operations that consume their input's.
inline Value copy_of(ForwardContext& f, const Value& x) {
  const Tensor y = Tensor::empty(f.ctx, x.tensor.dtype(), x.tensor.shape());
  std::memcpy(y.raw(), x.tensor.raw(), y.bytes());
  if (!f.tape) return y;
  return f.tape->record({x}, y, [](Gradients& g) { g.give(0, g.of_output()); });
}

using ScalarFunction = std::function<Value(ForwardContext&, const std::vector<Value>&)>;

// The gradients that one backward pass leaves in `parameters`, against central differences of the function run without
// a tape: the inference path must compute the same.
inline GradientCheck check_parameters(Context& ctx, const std::vector<Tensor>& inputs,
                                      const std::vector<Parameter*>& parameters,
                                      const ScalarFunction& function, std::int64_t samples = 60) {
  const std::vector<Value> constants(inputs.begin(), inputs.end());
  const auto evaluate = [&] {
    ForwardContext f{.ctx = ctx};
    return scalar_of(function(f, constants).tensor);
  };
  for (Parameter* p : parameters) p->has_grad = false;
  Tape tape(ctx);
  ForwardContext f{.ctx = ctx, .tape = &tape};
  const Tape::Root root{function(f, constants)};
  tape.backward({&root, 1});

  GradientCheck check;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!parameters[i]->has_grad) return {HUGE_VAL, concat("parameter ", i, " got no gradient")};
    compare_gradient(check, concat("parameter ", i), parameters[i]->value, parameters[i]->grad, evaluate,
                     samples);
  }
  return check;
}

// Inputs and parameters together: the worse of the two checks.
inline GradientCheck check_all(Context& ctx, const std::vector<Tensor>& inputs,
                               const std::vector<Parameter*>& parameters, const ScalarFunction& function,
                               std::int64_t samples = 60) {
  const auto on_tape = [&](Tape& tape, const std::vector<Value>& watched) {
    ForwardContext f{.ctx = ctx, .tape = &tape};
    return function(f, watched);
  };
  const GradientCheck a = check_gradients(ctx, inputs, on_tape, samples);
  const GradientCheck b = check_parameters(ctx, inputs, parameters, function, samples);
  return a.worst >= b.worst ? a : b;
}

}  // namespace moe::testing
