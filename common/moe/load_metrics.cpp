#include "common/moe/load_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace moe {

LoadMetrics load_metrics(const std::vector<std::int64_t>& load, std::int64_t assignments) {
  LoadMetrics m;
  m.load = load;
  m.assignments = assignments;
  const double total = static_cast<double>(std::accumulate(load.begin(), load.end(), std::int64_t{0}));
  m.dropped = assignments > 0 ? 1 - total / static_cast<double>(assignments) : 0;
  if (load.empty() || total == 0) return m;
  const double mean = total / static_cast<double>(load.size());
  double squares = 0;
  for (const std::int64_t l : load) {
    squares += (l - mean) * (l - mean);
    m.dead += l < 0.02 * mean;
  }
  m.cv = std::sqrt(squares / static_cast<double>(load.size())) / mean;
  m.max_violation = static_cast<double>(*std::max_element(load.begin(), load.end())) / mean - 1;
  return m;
}

double mean_entropy(const Tensor& probability) {
  return dispatch(probability.dtype(), [&]<class T>(T) {
    double sum = 0;
    for (const T p : values_of<T>(probability))  // 0·ln 0 is 0; NaN must show
      if (p != 0) sum -= static_cast<double>(p) * std::log(static_cast<double>(p));
    return probability.rows() == 0 ? 0 : sum / static_cast<double>(probability.rows());
  });
}

std::map<int, LoadMetrics> load_metrics_by_layer(const MetricSink& sink) {
  std::map<int, LoadMetrics> layers;
  std::map<int, double> entropy;
  for (const MetricSink::Item& item : sink.items) {
    if (item.name == "probability") entropy[item.layer] = mean_entropy(item.tensor);
    if (item.name != "load") continue;
    const auto offset = values_of<std::int32_t>(item.tensor);
    std::vector<std::int64_t> load(offset.size() - 1);
    for (std::size_t e = 0; e < load.size(); ++e) load[e] = offset[e + 1] - offset[e];
    layers[item.layer].load = std::move(load);
  }
  for (const MetricSink::Item& item : sink.items)
    if (item.name == "choice" && layers.contains(item.layer)) {
      const auto choice = values_of<std::int32_t>(item.tensor);
      layers[item.layer].assignments = std::accumulate(choice.begin(), choice.end(), std::int64_t{0});
    }
  for (auto& [layer, m] : layers) {
    m = load_metrics(m.load, m.assignments);
    if (entropy.contains(layer)) m.entropy = entropy[layer];
  }
  return layers;
}

LoadMetrics summarise(const std::map<int, LoadMetrics>& layers) {
  LoadMetrics mean;
  for (const auto& [layer, m] : layers) {
    const double share = 1.0 / static_cast<double>(layers.size());
    mean.cv += share * m.cv;
    mean.max_violation += share * m.max_violation;
    if (m.entropy) mean.entropy = mean.entropy.value_or(0) + share * *m.entropy;
    mean.dropped += share * m.dropped;
    mean.dead += m.dead;
    mean.assignments += m.assignments;
  }
  return mean;
}

}  // namespace moe
