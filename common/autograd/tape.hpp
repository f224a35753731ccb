// Tape: reverse-mode differentiation over about 20 coarse operations with hand-written gradients.
//
// Dynamic: a forward pass records nodes, `backward` consumes them last to first and frees what each had saved as it goes.
// Several tapes may be alive at once; none is global. Inference records nothing: the tape pointer is null.
#pragma once

#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "common/tensor/parameter.hpp"
#include "common/tensor/tensor.hpp"

namespace moe {

// A tensor on its way through the model, and its place on the tape.
struct Value {
  Tensor tensor;
  std::int32_t slot = -1;  // -1: a constant, no gradient flows into it

  Value() = default;
  Value(Tensor t, std::int32_t s = -1) : tensor(std::move(t)), slot(s) {}
  bool differentiable() const { return slot >= 0; }
};

class Tape;

// What a node's gradient function sees.
class Gradients {
 public:
  Context& ctx;

  // The gradient that arrived at output i; undefined if none did (the function runs if any output has one).
  const Tensor& of_output(std::size_t i = 0) const;
  bool wanted(std::size_t input) const;

  // Hands over a finished gradient of an input: moved in if it is the first, added otherwise.
  void give(std::size_t input, Tensor gradient);

  // Where to write the gradient of an input directly, and whether to add to what stands there: saves a buffer and a
  // pass for weights. At most once a node and input.
  struct Target {
    Tensor tensor;
    bool accumulate;
  };
  Target target(std::size_t input);

 private:
  friend class Tape;
  Gradients(Tape& tape, std::size_t node);
  Tape& tape_;
  std::size_t node_;
};

class Tape {
 public:
  explicit Tape(Context& ctx) : ctx_(ctx) {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  using Backward = std::function<void(Gradients&)>;

  Value leaf(Parameter& parameter);  // its gradient goes into parameter.grad; one slot a parameter
  Value watch(Tensor input);         // an input whose gradient `gradient_of` tells after backward

  // Returns `outputs` as Values that depend on `inputs`. With only constant inputs nothing is recorded.
  std::vector<Value> record(std::vector<Value> inputs, std::vector<Tensor> outputs, Backward backward);
  Value record(std::vector<Value> inputs, Tensor output, Backward backward);

  // d(Σ weight·value) into every leaf and watched input. Roots are scalars, or carry their own gradient.
  struct Root {
    Value value;
    double weight = 1;
    Tensor gradient = {};  // instead of weight: of a value that is no scalar, or kept by the caller
  };
  void backward(std::span<const Root> roots);
  Tensor gradient_of(const Value& watched) const;

  // Called as soon as a parameter's gradient is complete, during backward: gradient exchange can start there.
  std::function<void(Parameter&)> on_parameter_ready;

  std::size_t nodes() const { return nodes_.size(); }

 private:
  friend class Gradients;
  struct Node {
    std::vector<std::int32_t> inputs, outputs;  // slots
    Backward backward;
  };
  struct Slot {
    Shape shape;
    DType dtype;
    Tensor gradient;
    Parameter* parameter = nullptr;
    std::int32_t pending = 0;  // recorded uses whose gradient has not been taken yet
    bool watched = false;
  };
  std::int32_t new_slot(const Tensor& value);
  void give(std::int32_t slot, Tensor gradient);
  void run(Node& node, std::size_t index);
  void release(std::int32_t slot);

  Context& ctx_;
  std::vector<Node> nodes_;
  std::vector<Slot> slots_;
  std::unordered_map<Parameter*, std::int32_t> leaves_;
};

}  // namespace moe
