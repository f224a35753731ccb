// Parameter: a trained tensor with its gradient, and how modules show theirs.
//
// Modules are plain structs with `void visit(const ParameterVisitor& f, const std::string& prefix)`, which calls
// f(name, parameter) for each of theirs in a fixed order. Optimizer, checkpoint and counts all go through it.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "common/tensor/tensor.hpp"

namespace moe {

enum class ParameterGroup : std::uint8_t {
  dense,
  expert
};  // expert: one slice a rank under expert parallelism

struct Parameter {
  Tensor value;
  Tensor grad;            // same shape; meaningless unless has_grad
  bool has_grad = false;  // cleared by the optimizer step: the next backward overwrites instead of adding
  ParameterGroup group = ParameterGroup::dense;
  bool decay = true;  // weight decay applies (not to norms)
  std::function<void(Context&)>
      after_step;  // called once an optimizer step: for what a rule moves, not a gradient
  std::function<void(std::span<const std::int64_t>)>
      on_frequencies;  // of what a table of token ids is made: called once, before training, with each id's count
  double deviation = 0;  // of its initial values, N(0, deviation²); 0: all are `initial`
  double initial = 1;    // norm weights start at one
};

inline Parameter make_parameter(Context& ctx, DType dtype, Shape shape, double deviation,
                                ParameterGroup group = ParameterGroup::dense) {
  Parameter p;
  p.value = Tensor::empty(ctx, dtype, std::move(shape));
  p.group = group;
  p.decay = deviation > 0;
  p.deviation = deviation;
  return p;
}

using ParameterVisitor = std::function<void(const std::string& name, Parameter& parameter)>;

}  // namespace moe
