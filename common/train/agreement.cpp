#include "common/train/agreement.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "common/train/batch_tensors.hpp"

namespace moe {
namespace {

std::vector<std::pair<std::string, std::vector<float>>> gradients_of(Trainer& trainer) {
  std::vector<std::pair<std::string, std::vector<float>>> all;
  trainer.model().visit(
      [&](const std::string& name, Parameter& p) { all.emplace_back(name, values_of<float>(p.grad)); });
  return all;
}

// ‖a - b‖ / ‖a‖. NaN, and gradients that are all 0 on one side only, are infinitely far apart.
double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = double{a[i]} - double{b[i]};
    difference += d * d;
    norm += double{a[i]} * double{a[i]};
  }
  if (difference == 0) return 0;
  const double relative = std::sqrt(difference / norm);
  return std::isfinite(relative) ? relative : std::numeric_limits<double>::infinity();
}

void compare_gradients(Agreement& agreement, Trainer& a, Trainer& b) {
  const auto of_a = gradients_of(a), of_b = gradients_of(b);
  for (std::size_t i = 0; i < of_a.size(); ++i)
    if (const double d = distance(of_a[i].second, of_b[i].second); d >= agreement.gradient) {
      agreement.gradient = d;
      agreement.gradient_of = of_a[i].first;
    }
}

// Every layer's chosen experts, for one held-out batch of each domain.
std::vector<std::int32_t> decisions_of(Trainer& trainer, const Corpus& corpus) {
  const TrainSettings& s = trainer.settings();
  std::vector<std::int32_t> all;
  for (std::size_t d = 0; d < corpus.domains.size(); ++d)
    for (const Batch& batch : held_out_batches(corpus, d, s.sequences, s.length, s.sequences * s.length)) {
      const BatchTensors tensors = to_device(trainer.context(), batch);
      MetricSink sink;
      ForwardContext f{.ctx = trainer.context(), .tokens = &tensors.tokens, .metrics = &sink};
      trainer.model().forward(f);
      for (const MetricSink::Item& item : sink.items)
        if (item.name == "expert") {
          const auto chosen = values_of<std::int32_t>(item.tensor);
          all.insert(all.end(), chosen.begin(), chosen.end());
        }
    }
  return all;
}

}  // namespace

Agreement compare_devices(Trainer& a, Trainer& b, const Corpus& corpus, std::int64_t steps) {
  Agreement agreement{.steps = steps};
  for (std::int64_t i = 0; i < steps; ++i) {
    const double loss_a = a.step(true)->loss, loss_b = b.step(true)->loss;
    agreement.loss =
        std::max(agreement.loss, std::abs(loss_a - loss_b) / std::abs(loss_a));  // step() refuses NaN
    if (i == 0) compare_gradients(agreement, a, b);
  }
  const auto of_a = decisions_of(a, corpus), of_b = decisions_of(b, corpus);
  MOE_CHECK(of_a.size() == of_b.size(), of_a.size(), " decisions against ", of_b.size());
  agreement.decisions = static_cast<std::int64_t>(of_a.size());
  for (std::size_t i = 0; i < of_a.size(); ++i) agreement.same_decisions += of_a[i] == of_b[i];
  return agreement;
}

std::string describe(const Agreement& g) {
  char text[256];
  std::snprintf(
      text, sizeof text,
      "gradients of the first step within %.1e (%s), loss over %lld steps within %.1e, "
      "%.2f %% of %lld routing decisions",
      g.gradient, g.gradient_of.c_str(), static_cast<long long>(g.steps), g.loss,
      g.decisions ? 100.0 * static_cast<double>(g.same_decisions) / static_cast<double>(g.decisions) : 100.0,
      static_cast<long long>(g.decisions));
  return text;
}

}  // namespace moe
