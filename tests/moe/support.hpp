// A MoeLayer with its parameters in reach.
#pragma once

#include <map>
#include <string>

#include "common/moe/moe_layer.hpp"
#include "tests/support/gradients.hpp"

namespace moe::testing {

struct Sizes {
  std::int64_t N, D, F, E, K;
};

inline MoeConfig moe_config(const Sizes& s) {
  MoeConfig c;
  c.experts = s.E;
  c.top_k = s.K;
  c.vocabulary = 256;
  return c;
}

template <class T>
struct TestLayer {
  Context ctx;
  MoeLayer layer;
  std::map<std::string, Parameter*> parameter;

  // Parameters from N(0, scale²): routers that are far from ties, experts of the size of their inputs.
  TestLayer(const MoeConfig& config, std::int64_t D, std::int64_t F, std::uint64_t seed = 1, int threads = 2)
      : ctx(threads), layer(ctx, dtype_of<T>, config, D, F) {
    layer.visit([&](const std::string& name, Parameter& p) {
      const double scale = 1 / std::sqrt(static_cast<double>(p.value.size(-1)));
      auto values = random_normal<T>(p.value.numel(), seed++);
      for (T& v : values) v *= static_cast<T>(scale);
      p.value = tensor_of<T>(ctx, values, p.value.shape());
      parameter[name] = &p;
    });
  }

  void set(const std::string& name, const std::vector<T>& values) {
    Parameter& p = *parameter.at(name);
    p.value = tensor_of<T>(ctx, values, p.value.shape());
  }
  std::vector<Parameter*> all() {
    return {parameter.at("gate.weight"), parameter.at("experts.gate_up.weight"),
            parameter.at("experts.down.weight")};
  }

  std::vector<T> forward(const std::vector<T>& x, MetricSink* metrics = nullptr, LossSink* losses = nullptr) {
    const std::int64_t D = parameter.at("gate.weight")->value.size(1);
    ForwardContext f{.ctx = ctx, .losses = losses, .metrics = metrics};
    return values_of<T>(
        layer.forward(f, tensor_of<T>(ctx, x, {static_cast<std::int64_t>(x.size()) / D, D})).tensor);
  }

  struct Pass {
    std::vector<T> y, dx, drouter, dgate_up, ddown;
    MetricSink metrics;
    LossSink losses;
  };
  // Forward and backward with dy arriving at y, and the router's losses as further roots.
  Pass train(const std::vector<T>& x, const std::vector<T>& dy) {
    const std::int64_t D = parameter.at("gate.weight")->value.size(1),
                       N = static_cast<std::int64_t>(x.size()) / D;
    Pass pass;
    Tape tape(ctx);
    ForwardContext f{
        .ctx = ctx, .tape = &tape, .training = true, .losses = &pass.losses, .metrics = &pass.metrics};
    for (Parameter* p : all()) {
      p->has_grad = false;
      p->grad = tensor_of<T>(ctx, std::vector<T>(static_cast<std::size_t>(p->value.numel()), T(NAN)),
                             p->value.shape());
    }
    const Value in = tape.watch(tensor_of<T>(ctx, x, {N, D})), out = layer.forward(f, in);
    std::vector<Tape::Root> roots{{.value = out, .gradient = tensor_of<T>(ctx, dy, {N, D})}};
    for (const LossSink::Item& item : pass.losses.items) roots.push_back({item.loss, item.coefficient});
    tape.backward(roots);
    pass.y = values_of<T>(out.tensor);
    pass.dx = values_of<T>(tape.gradient_of(in));
    pass.drouter = values_of<T>(all()[0]->grad);
    pass.dgate_up = values_of<T>(all()[1]->grad);
    pass.ddown = values_of<T>(all()[2]->grad);
    return pass;
  }
};

inline Tensor metric(const MetricSink& sink, const std::string& name) {
  for (const MetricSink::Item& item : sink.items)
    if (item.name == name) return item.tensor;
  throw std::runtime_error("no metric " + name);
}

// Tokens per expert from the offsets that a layer pushes.
inline std::vector<std::int32_t> load_of(const MetricSink& sink) {
  const auto offset = values_of<std::int32_t>(metric(sink, "load"));
  std::vector<std::int32_t> load;
  for (std::size_t e = 0; e + 1 < offset.size(); ++e) load.push_back(offset[e + 1] - offset[e]);
  return load;
}

template <class T>
std::vector<T> row(const std::vector<T>& x, std::int64_t n, std::int64_t D) {
  return {x.begin() + n * D, x.begin() + (n + 1) * D};
}

}  // namespace moe::testing
