// Tiny differentiable operations on f32, for tests of the tape alone.
#pragma once

#include "common/autograd/tape.hpp"
#include "tests/support/compare.hpp"

namespace moe::testing {

inline Tensor floats(Context& ctx, std::vector<float> values) {
  const auto n = static_cast<std::int64_t>(values.size());
  return tensor_of<float>(ctx, values, {n});
}

template <class F>
Tensor map_floats(Context& ctx, const Tensor& like, F&& element) {
  const Tensor y = Tensor::empty(ctx, DType::f32, like.shape());
  for (std::int64_t i = 0; i < y.numel(); ++i) y.data<float>()[i] = element(i);
  return y;
}

// factor·x; hands its gradient over.
inline Value scaled(Context& ctx, Tape& tape, const Value& x, float factor) {
  const float* in = x.tensor.data<float>();
  return tape.record({x}, map_floats(ctx, x.tensor, [&](auto i) { return factor * in[i]; }),
                     [factor](Gradients& g) {
                       const float* dy = g.of_output().data<float>();
                       g.give(0, map_floats(g.ctx, g.of_output(), [&](auto i) { return factor * dy[i]; }));
                     });
}

// factor·x; writes its gradient where it is told to, as matrix products do.
inline Value scaled_in_place(Context& ctx, Tape& tape, const Value& x, float factor) {
  const float* in = x.tensor.data<float>();
  return tape.record({x}, map_floats(ctx, x.tensor, [&](auto i) { return factor * in[i]; }),
                     [factor](Gradients& g) {
                       const auto [dx, accumulate] = g.target(0);
                       for (std::int64_t i = 0; i < dx.numel(); ++i) {
                         const float d = factor * g.of_output().data<float>()[i];
                         dx.data<float>()[i] = accumulate ? dx.data<float>()[i] + d : d;
                       }
                     });
}

// a + b; both inputs are given the very tensor that arrived.
inline Value plus(Context& ctx, Tape& tape, const Value& a, const Value& b) {
  const float *x = a.tensor.data<float>(), *y = b.tensor.data<float>();
  return tape.record({a, b}, map_floats(ctx, a.tensor, [&](auto i) { return x[i] + y[i]; }),
                     [](Gradients& g) {
                       g.give(0, g.of_output());
                       g.give(1, g.of_output());
                     });
}

// a ⊙ b; keeps both until its turn in the backward pass.
inline Value times(Context& ctx, Tape& tape, const Value& a, const Value& b) {
  const float *x = a.tensor.data<float>(), *y = b.tensor.data<float>();
  return tape.record({a, b}, map_floats(ctx, a.tensor, [&](auto i) { return x[i] * y[i]; }),
                     [a = a.tensor, b = b.tensor](Gradients& g) {
                       const float* dy = g.of_output().data<float>();
                       g.give(0, map_floats(g.ctx, a, [&](auto i) { return dy[i] * b.data<float>()[i]; }));
                       g.give(1, map_floats(g.ctx, b, [&](auto i) { return dy[i] * a.data<float>()[i]; }));
                     });
}

inline Parameter float_parameter(Context& ctx, std::vector<float> values) {
  Parameter p;
  p.value = floats(ctx, std::move(values));
  return p;
}

inline void run_backward(Tape& tape, const Value& root, double weight = 1) {
  const Tape::Root r{.value = root, .weight = weight};
  tape.backward({&r, 1});
}

using Floats = std::vector<float>;

}  // namespace moe::testing
