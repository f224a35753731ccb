// ForwardContext: what every operation and module needs besides its inputs. Made anew for each pass.
#pragma once

#include <string>
#include <vector>

#include "common/autograd/tape.hpp"
#include "kernels/base/random.hpp"
#include "kernels/base/trace.hpp"

namespace moe {

// Travels with the batch: hash routing, per-sequence losses, modality routing and rank-invariant noise all need it.
// N = B·T tokens; undefined tensors where a program has nothing to say.
struct TokenInfo {
  std::int64_t sequences = 0;    // B
  std::int64_t length = 0;       // T
  Tensor id;                     // (N) i32
  Tensor position;               // (N) i32, within the sequence
  Tensor sequence;               // (N) i32, 0 .. B-1
  Tensor tag;                    // (N) i32: domain, task or modality
  std::int64_t first_token = 0;  // global index of token 0
};

// Where layers leave losses of their own (router balance, z-loss); the trainer passes them to backward as extra roots.
struct LossSink {
  struct Item {
    std::string name;
    Value loss;  // (1)
    double coefficient;
  };
  std::vector<Item> items;
};

// Where layers leave what may be logged. Device tensors: nothing is read until somebody logs.
struct MetricSink {
  struct Item {
    std::string name;
    int layer;
    Tensor tensor;
  };
  std::vector<Item> items;
  bool detailed = false;  // also what experts read and wrote: as large as the activations, for analysis
  void push(std::string name, int layer, Tensor tensor) {
    items.push_back({std::move(name), layer, std::move(tensor)});
  }
};

struct ForwardContext {
  Context& ctx;
  Tape* tape = nullptr;  // null: inference
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  bool training = false;
  const TokenInfo* tokens = nullptr;
  LossSink* losses = nullptr;
  MetricSink* metrics = nullptr;
  int layer = 0;  // of the block being run

  // A parameter as a value of the pass: a leaf of its tape, or a constant.
  Value value_of(Parameter& p) const { return tape ? tape->leaf(p) : Value(p.value); }
};

}  // namespace moe
