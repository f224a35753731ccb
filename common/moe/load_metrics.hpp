// How evenly experts are used. Computed on the host at log time from what a layer pushed to its MetricSink.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/autograd/forward_context.hpp"

namespace moe {

struct LoadMetrics {
  std::vector<std::int64_t> load;  // (E) assignments each expert received
  std::int64_t assignments = 0;    // asked for, before capacity dropping
  double cv = 0;                   // coefficient of variation of load: deviation / mean; 0 when balanced
  double max_violation = 0;        // MaxVio = max load / mean load - 1 (arXiv:2408.15664)
  // Mean entropy of the router's distribution, in nats; ln E when it does not care. None where the router has none.
  std::optional<double> entropy;
  double dropped = 0;     // fraction of assignments dropped by capacity
  std::int64_t dead = 0;  // experts with less than 2 % of the mean load
};

// Fills cv, max_violation, dead and the counts; load as asked.
LoadMetrics load_metrics(const std::vector<std::int64_t>& load, std::int64_t assignments);

// Mean over rows of -Σ p·ln p. probability (N, E).
double mean_entropy(const Tensor& probability);

// One entry a layer that pushed "load".
std::map<int, LoadMetrics> load_metrics_by_layer(const MetricSink& sink);

// Over layers: means, and sums for `dead`. Empty metrics for a model without MoE layers.
LoadMetrics summarise(const std::map<int, LoadMetrics>& layers);

}  // namespace moe
