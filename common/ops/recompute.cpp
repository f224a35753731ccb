#include "common/ops/ops.hpp"

namespace moe::ops {

std::vector<Value> recompute(ForwardContext& f, const std::vector<Value>& inputs, const Segment& function) {
  ForwardContext quiet = f;  // no tape, and no sinks: what is pushed would be pushed twice
  quiet.tape = nullptr;
  quiet.losses = nullptr;
  quiet.metrics = nullptr;
  std::vector<Value> constants;
  for (const Value& v : inputs) constants.emplace_back(v.tensor);
  std::vector<Value> outputs = function(quiet, constants);
  if (!f.tape) return outputs;

  std::vector<Tensor> tensors;
  for (Value& v : outputs) tensors.push_back(v.tensor);
  outputs.clear();
  // One input that always wants a gradient: parameters inside must get theirs even if all that comes in is constant.
  std::vector<Value> recorded = inputs;
  recorded.push_back(f.tape->watch({}));
  return f.tape->record(std::move(recorded), std::move(tensors),
                        [outer = f.tape, quiet, constants, function](Gradients& g) mutable {
                          Tape tape(g.ctx);
                          tape.on_parameter_ready =
                              outer->on_parameter_ready;  // complete, unless used outside too
                          quiet.tape = &tape;
                          std::vector<Value> watched;
                          for (const Value& v : constants) watched.push_back(tape.watch(v.tensor));
                          const std::vector<Value> again = function(quiet, watched);
                          std::vector<Tape::Root> roots;
                          for (std::size_t i = 0; i < again.size(); ++i)
                            if (g.of_output(i).defined())
                              roots.push_back({.value = again[i], .gradient = g.of_output(i)});
                          tape.backward(roots);
                          for (std::size_t i = 0; i < watched.size(); ++i)
                            if (Tensor d = tape.gradient_of(watched[i]); d.defined()) g.give(i, d);
                        });
}

}  // namespace moe::ops
