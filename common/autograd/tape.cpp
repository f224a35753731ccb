#include "common/autograd/tape.hpp"

#include <algorithm>

#include "kernels/elementwise/elementwise.hpp"

namespace moe {
namespace {

Tensor sum_of(Context& ctx, const Tensor& a, const Tensor& b, const Tensor& into) {
  dispatch(a.dtype(), [&]<class T>(T) { add<T>(ctx, into.data<T>(), a.data<T>(), b.data<T>(), a.numel()); });
  return into;
}

// Makes `t` safe to write: the two branches of a residual share one gradient, and neither may see the other's sum.
void make_exclusive(Context& ctx, Tensor& t, bool keep_values) {
  if (t.sole_owner()) return;
  const Tensor fresh = Tensor::empty(ctx, t.dtype(), t.shape());
  if (keep_values) fresh.copy_from(t);
  t = fresh;
}

}  // namespace

Gradients::Gradients(Tape& tape, std::size_t node) : ctx(tape.ctx_), tape_(tape), node_(node) {}

const Tensor& Gradients::of_output(std::size_t i) const {
  return tape_.slots_[tape_.nodes_[node_].outputs.at(i)].gradient;
}

bool Gradients::wanted(std::size_t input) const {
  return tape_.nodes_[node_].inputs.at(input) >= 0;
}

void Gradients::give(std::size_t input, Tensor gradient) {
  if (wanted(input)) tape_.give(tape_.nodes_[node_].inputs[input], std::move(gradient));
}

Gradients::Target Gradients::target(std::size_t input) {
  MOE_CHECK(wanted(input), "input ", input, " takes no gradient");
  Tape::Slot& slot = tape_.slots_[tape_.nodes_[node_].inputs[input]];
  Tensor& gradient = slot.parameter ? slot.parameter->grad : slot.gradient;
  const bool accumulate = slot.parameter ? slot.parameter->has_grad : gradient.defined();
  if (!gradient.defined()) gradient = Tensor::empty(ctx, slot.dtype, slot.shape);
  make_exclusive(ctx, gradient, accumulate);
  if (slot.parameter) slot.parameter->has_grad = true;
  return {gradient, accumulate};
}

std::int32_t Tape::new_slot(const Tensor& value) {
  slots_.push_back(Slot{.shape = value.shape(), .dtype = value.dtype(), .gradient = {}});
  return static_cast<std::int32_t>(slots_.size()) - 1;
}

Value Tape::leaf(Parameter& parameter) {
  const auto [it, fresh] = leaves_.try_emplace(&parameter, -1);
  if (fresh) {
    it->second = new_slot(parameter.value);
    slots_.back().parameter = &parameter;
  }
  return {parameter.value, it->second};
}

Value Tape::watch(Tensor input) {
  const std::int32_t slot = new_slot(input);
  slots_.back().watched = true;
  return {std::move(input), slot};
}

std::vector<Value> Tape::record(std::vector<Value> inputs, std::vector<Tensor> outputs, Backward backward) {
  std::vector<Value> values;
  const bool any =
      std::any_of(inputs.begin(), inputs.end(), [](const Value& v) { return v.differentiable(); });
  Node node;
  for (const Value& v : inputs) {
    node.inputs.push_back(v.slot);
    if (v.differentiable()) ++slots_[v.slot].pending;
  }
  for (Tensor& t : outputs) {
    const std::int32_t slot = any ? new_slot(t) : -1;
    node.outputs.push_back(slot);
    values.emplace_back(std::move(t), slot);
  }
  node.backward = std::move(backward);
  if (any) nodes_.push_back(std::move(node));
  return values;
}

Value Tape::record(std::vector<Value> inputs, Tensor output, Backward backward) {
  return record(std::move(inputs), std::vector<Tensor>{std::move(output)}, std::move(backward))[0];
}

void Tape::give(std::int32_t index, Tensor gradient) {
  Slot& slot = slots_[index];
  MOE_CHECK(gradient.numel() == element_count(slot.shape), "gradient ", to_string(gradient.shape()), " for ",
            to_string(slot.shape));
  Tensor& have = slot.parameter ? slot.parameter->grad : slot.gradient;
  const bool first = slot.parameter ? !slot.parameter->has_grad : !have.defined();
  if (slot.parameter) slot.parameter->has_grad = true;
  if (first) {
    have = gradient.reshape(slot.shape);
    return;
  }
  // In place unless somebody else holds the same storage.
  const Tensor into = have.sole_owner() ? have : Tensor::empty(ctx_, have.dtype(), have.shape());
  have = sum_of(ctx_, have, gradient, into);
}

void Tape::release(std::int32_t index) {
  if (index < 0) return;
  Slot& slot = slots_[index];
  if (--slot.pending == 0 && slot.parameter && slot.parameter->has_grad && on_parameter_ready)
    on_parameter_ready(*slot.parameter);
}

void Tape::run(Node& node, std::size_t index) {
  const bool reached = std::any_of(node.outputs.begin(), node.outputs.end(),
                                   [&](std::int32_t s) { return slots_[s].gradient.defined(); });
  if (reached) {
    Gradients gradients(*this, index);
    node.backward(gradients);
  }
  node.backward = nullptr;  // frees what the node had saved
  for (const std::int32_t s : node.outputs)
    if (!slots_[s].watched) slots_[s].gradient = {};
  for (const std::int32_t s : node.inputs) release(s);
}

void Tape::backward(std::span<const Root> roots) {
  for (const Root& root : roots) {
    if (!root.value.differentiable()) continue;
    Tensor seed = root.gradient;
    if (!seed.defined()) {
      MOE_CHECK(root.value.tensor.numel() == 1, "a root of shape ", to_string(root.value.tensor.shape()),
                " needs its gradient");
      seed = Tensor::empty(ctx_, root.value.tensor.dtype(), root.value.tensor.shape());
      dispatch(seed.dtype(), [&]<class T>(T) { fill<T>(ctx_, seed.data<T>(), root.weight, 1); });
    }
    give(root.value.slot, std::move(seed));
  }
  for (std::size_t i = nodes_.size(); i-- > 0;) run(nodes_[i], i);
  nodes_.clear();
}

Tensor Tape::gradient_of(const Value& watched) const {
  return slots_.at(watched.slot).gradient;
}

}  // namespace moe
