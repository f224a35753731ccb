// What the router is tried in: a Mixture of Experts that reads the last bytes of a text and predicts the next one. Texts of
// six domains, each batch from all of them. The model is small so that its training takes seconds on one core.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "common/data/batch.hpp"
#include "common/moe/moe_layer.hpp"
#include "common/train/optimizer.hpp"

namespace moe::router_task {

struct Task {
  std::int64_t E = 32, S = 4, M = 64;  // experts, slots, numbers of state
  std::int64_t D = 32, F = 32;         // widths of model and experts
  std::int64_t context = 6, V = 256, byte_width = 12;
  std::int64_t sequences = 16, length = 64;  // of a training batch
  double learning_rate = 1e-2;
  double budget = 2;       // experts a token, on average
  std::uint64_t seed = 1;  // of the model and of the order of training: the same for everybody
};

// Places in a text: the bytes up to each, and the byte that follows.
struct Places {
  std::vector<std::int32_t> id;      // (N, context) rows of the embedding: byte + V * distance
  std::vector<std::int32_t> target;  // (N)
  std::int64_t count() const { return static_cast<std::int64_t>(target.size()); }
};

// The place before text[at]; bytes before the text count as 0.
inline void add_place(Places& places, const Task& task, std::span<const Token> text, std::int64_t at) {
  for (std::int64_t c = 1; c <= task.context; ++c) {
    const std::int64_t byte = at >= c ? static_cast<std::int64_t>(text[at - c]) : 0;
    places.id.push_back(static_cast<std::int32_t>(byte + task.V * (c - 1)));
  }
  places.target.push_back(static_cast<std::int32_t>(text[at]));
}

inline Places training_places(const Task& task, const Corpus& corpus, std::int64_t step) {
  const Batch batch =
      make_batch(corpus, task.seed, static_cast<std::uint32_t>(step), task.sequences, task.length);
  Places places;
  for (std::int64_t b = 0; b < task.sequences; ++b) {
    std::vector<Token> text;
    for (std::int64_t t = 0; t < task.length; ++t) text.push_back(batch.id[b * task.length + t]);
    text.push_back(batch.target[(b + 1) * task.length - 1]);
    for (std::int64_t t = 1; t <= task.length; ++t) add_place(places, task, text, t);
  }
  return places;
}

class SmallMoe {
 public:
  SmallMoe(Context& ctx, const Task& task, std::unique_ptr<Router> router)
      : task_(task),
        bytes_(make_parameter(ctx, DType::f32, {task.context * task.V, task.byte_width}, 0.5)),
        mix_(make_parameter(ctx, DType::f32, {task.D, task.context * task.byte_width},
                            1 / std::sqrt(static_cast<double>(task.context * task.byte_width)))),
        norm_in_(make_parameter(ctx, DType::f32, {task.D}, 0)),
        norm_out_(make_parameter(ctx, DType::f32, {task.D}, 0)),
        head_(make_parameter(ctx, DType::f32, {task.V, task.D}, 0.02)),
        layer_(std::move(router), std::make_unique<LocalExperts>(ctx, DType::f32, task.E, task.D, task.F)) {
    initialise(ctx, task.seed, [this](const ParameterVisitor& visitor) { visit(visitor); });
  }

  Value forward(ForwardContext& f, const Places& places) {
    const Tensor id = tensor_of(f.ctx, places.id, {places.count() * task_.context});
    const Value x = ops::linear(f, side_by_side(f, ops::embedding(f, id, bytes_)), mix_);
    const Value y = ops::add(f, x, layer_.forward(f, ops::rms_norm(f, x, norm_in_, 1e-6)));
    return ops::linear(f, ops::rms_norm(f, y, norm_out_, 1e-6), head_);
  }

  void visit(const ParameterVisitor& visitor) {
    visitor("bytes", bytes_);
    visitor("mix", mix_);
    visitor("norm_in", norm_in_);
    layer_.visit(visitor);
    visitor("norm_out", norm_out_);
    visitor("head", head_);
  }

 private:
  // (N·context, width) as (N, context·width).
  Value side_by_side(ForwardContext& f, const Value& rows) const {
    const std::int64_t wide = task_.context * task_.byte_width;
    Tensor joined = rows.tensor.reshape({rows.tensor.numel() / wide, wide});
    if (!f.tape) return joined;
    return f.tape->record({rows}, joined, [width = task_.byte_width](Gradients& g) {
      g.give(0, g.of_output().reshape({g.of_output().numel() / width, width}));
    });
  }

  Task task_;
  Parameter bytes_, mix_, norm_in_, norm_out_, head_;
  MoeLayer layer_;
};

// Trains a model with the router for `steps`; it stands at the end, ready to predict.
class Run {
 public:
  Run(const Task& task, const Corpus& corpus,
      const std::function<std::unique_ptr<Router>(Context&)>& make_router)
      : task_(task), corpus_(corpus), model_(ctx_, task, make_router(ctx_)) {}

  void train(std::int64_t steps) {
    AdamWSettings settings;
    settings.weight_decay = 0.05;
    Optimizer optimizer(ctx_, settings, [this](const ParameterVisitor& v) { model_.visit(v); });
    for (std::int64_t step = 1; step <= steps; ++step) {
      const Places places = training_places(task_, corpus_, step);
      Tape tape(ctx_);
      LossSink losses;
      ForwardContext f{.ctx = ctx_,
                       .tape = &tape,
                       .seed = task_.seed,
                       .step = static_cast<std::uint32_t>(step),
                       .training = true,
                       .losses = &losses};
      const Value loss =
          ops::cross_entropy(f, model_.forward(f, places), tensor_of(ctx_, places.target, {places.count()}));
      std::vector<Tape::Root> roots = {{loss}};
      for (const LossSink::Item& item : losses.items) roots.push_back({item.loss, item.coefficient});
      tape.backward(roots);
      optimizer.step(step, warmup_cosine(step, steps, steps / 20, task_.learning_rate));
    }
  }

  // Bits a byte that each place costs.
  std::vector<float> predict(const Places& places) {
    ForwardContext f{.ctx = ctx_, .seed = task_.seed};
    const Value logits = model_.forward(f, places);
    std::vector<float> bits = values_of<float>(
        ops::row_losses(ctx_, logits.tensor, tensor_of(ctx_, places.target, {places.count()})));
    for (float& b : bits) b /= static_cast<float>(std::log(2.0));
    return bits;
  }

 private:
  Task task_;
  const Corpus& corpus_;
  Context ctx_{1};
  SmallMoe model_;
};

}  // namespace moe::router_task
