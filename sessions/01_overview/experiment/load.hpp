// How evenly experts were used, from what a run left.
#pragma once

#include "common/data/corpus.hpp"
#include "common/moe/load_metrics.hpp"
#include "common/report/metrics_log.hpp"
#include "common/report/plot.hpp"
#include "common/train/evaluation.hpp"

namespace moe::session1 {

// On held-out text, every domain alike: means over layers, `dead` summed over them. Router entropy is not in it.
LoadMetrics held_out_load(const Evaluation& evaluation);

std::vector<std::string> domain_names(const Corpus& corpus);

// Assignments of a layer's held-out text, (domain, expert).
HeatMap domain_counts(const Evaluation& evaluation, std::size_t layer,
                      const std::vector<std::string>& domains);

// P(domain | expert) of a layer, experts ordered by the domain they read most.
HeatMapPlot experts_plot(const Evaluation& evaluation, std::size_t layer,
                         const std::vector<std::string>& domains);

// The last value of `key` up to `step`; NaN where there is none.
double value_at(const std::vector<MetricRecord>& metrics, const char* key, std::int64_t step);

// A value of metrics.jsonl over steps or seconds.
Series metric_series(const std::vector<MetricRecord>& metrics, const char* x, const char* y,
                     const std::string& label, int colour);

// Load of each expert of a layer over time, as a multiple of the mean: (E, time). Empty for a layer without experts.
HeatMapPlot load_over_time(const std::vector<MetricRecord>& metrics, std::size_t layer,
                           const std::string& title);

}  // namespace moe::session1
