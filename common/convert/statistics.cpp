#include "common/convert/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "common/tensor/host_values.hpp"

namespace moe {
namespace {

using LayerMetrics = std::map<std::string, Tensor>;

std::vector<LayerMetrics> run(Context& ctx, LanguageModel& model, const TokenInfo& tokens) {
  MetricSink sink;
  sink.detailed = true;
  ForwardContext f{.ctx = ctx, .tokens = &tokens, .metrics = &sink};
  model.forward(f);
  std::vector<LayerMetrics> layers(static_cast<std::size_t>(model.config().layers));
  for (const MetricSink::Item& item : sink.items)
    layers.at(static_cast<std::size_t>(item.layer))[item.name] = item.tensor;
  return layers;
}

// The router's matrix of each layer; undefined where there is none with a row an expert.
std::vector<Tensor> router_weights(LanguageModel& model) {
  std::vector<Tensor> weights(static_cast<std::size_t>(model.config().layers));
  for (std::size_t l = 0; l < weights.size(); ++l)
    model.moe_layer(l)->visit([&](const std::string& name, Parameter& p) {
      if (name == "gate.weight" &&
          p.value.shape() == Shape({model.config().moe.experts, model.config().width}))
        weights[l] = p.value;
    });
  return weights;
}

// What each row of the expert order counts for.
std::vector<double> row_weights(const LayerMetrics& m) {
  const std::vector<double> listed = host_values(m.at("list_weight"));
  const auto row = values_of<std::int32_t>(m.at("list_row"));
  std::vector<double> weight(listed.size());
  for (std::size_t i = 0; i < row.size(); ++i)
    if (row[i] >= 0) weight[row[i]] = listed[i];
  return weight;
}

void add_rows(ExpertStatistics& s, const LayerMetrics& m) {
  const Tensor& output = m.at("row_output");
  const auto offset = values_of<std::int32_t>(m.at("load"));
  const std::vector<double> weight = row_weights(m), y = host_values(output);
  const std::int64_t D = output.width();
  s.count.resize(offset.size() - 1);
  s.weighted_norm.resize(offset.size() - 1);
  for (std::size_t e = 0; e + 1 < offset.size(); ++e) {
    s.count[e] += offset[e + 1] - offset[e];
    for (std::int64_t r = offset[e]; r < offset[e + 1]; ++r) {
      double squares = 0;
      for (std::int64_t d = 0; d < D; ++d) squares += y[r * D + d] * y[r * D + d];
      s.weighted_norm[e] += weight[r] * std::sqrt(squares);
    }
  }
}

void add_logits(ExpertStatistics& s, const Tensor& input, const Tensor& router) {
  const std::int64_t N = input.rows(), D = input.width(), E = router.rows();
  const std::vector<double> x = host_values(input), w = host_values(router);
  std::vector<double> logit(static_cast<std::size_t>(E));
  s.logit_product.resize(static_cast<std::size_t>(E * E));
  for (std::int64_t n = 0; n < N; ++n) {
    for (std::int64_t e = 0; e < E; ++e)
      logit[e] = std::inner_product(x.begin() + n * D, x.begin() + (n + 1) * D, w.begin() + e * D, 0.0);
    for (std::int64_t i = 0; i < E * E; ++i) s.logit_product[i] += logit[i / E] * logit[i % E];
  }
}

// Indices by falling value, the lower of equals first.
std::vector<std::int64_t> by_value(const std::vector<double>& value) {
  std::vector<std::int64_t> order(value.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t a, std::int64_t b) { return value[a] > value[b]; });
  return order;
}

void check_number(std::int64_t wanted, std::size_t E) {
  if (wanted < 1 || wanted > static_cast<std::int64_t>(E))
    throw UserError(ExitCode::usage, concat(wanted, " of ", E, " experts"), concat("choose 1 to ", E));
}

}  // namespace

void observe(Context& ctx, LanguageModel& model, const TokenInfo& tokens,
             std::vector<ExpertStatistics>& layers) {
  if (model.config().moe.experts == 0)
    throw UserError(ExitCode::usage, "a dense model has no experts to observe", "take a model with experts");
  const std::vector<LayerMetrics> metrics = run(ctx, model, tokens);
  const std::vector<Tensor> router = router_weights(model);
  layers.resize(metrics.size());
  for (std::size_t l = 0; l < metrics.size(); ++l) {
    if (!metrics[l].count("row_output"))
      throw UserError(ExitCode::usage,
                      concat("router '", model.config().moe.router, "' gives no token to an expert"),
                      "take one that chooses experts");
    layers[l].tokens += metrics[l].at("input").rows();
    add_rows(layers[l], metrics[l]);
    if (router[l].defined()) add_logits(layers[l], metrics[l].at("input"), router[l]);
  }
}

std::vector<double> reap_scores(const ExpertStatistics& s) {
  std::vector<double> score;
  for (std::size_t e = 0; e < s.count.size(); ++e)
    score.push_back(s.count[e] > 0 ? s.weighted_norm[e] / s.count[e] : 0);
  return score;
}

std::vector<std::int64_t> best_scores(const std::vector<double>& score, std::int64_t keep) {
  check_number(keep, score.size());
  std::vector<std::int64_t> order = by_value(score);
  order.resize(static_cast<std::size_t>(keep));
  std::sort(order.begin(), order.end());
  return order;
}

std::vector<double> logit_similarity(const ExpertStatistics& s) {
  const std::size_t E = s.count.size();
  if (s.logit_product.size() != E * E)
    throw UserError(ExitCode::usage, "this router has no logits to compare experts by",
                    "take one with a matrix (E, D), such as top_k");
  std::vector<double> cosine(E * E);
  for (std::size_t i = 0; i < E * E; ++i) {
    const double scale = std::sqrt(s.logit_product[i / E * (E + 1)] * s.logit_product[i % E * (E + 1)]);
    cosine[i] = scale > 0 ? s.logit_product[i] / scale : 0;
  }
  return cosine;
}

ExpertGroups group_by_logits(const ExpertStatistics& s, std::int64_t groups) {
  check_number(groups, s.count.size());
  const std::vector<double> similarity = logit_similarity(s);
  const std::vector<std::int64_t> order = by_value(s.count);
  const auto E = static_cast<std::int64_t>(order.size());
  ExpertGroups all;
  for (std::int64_t i = 0; i < E; ++i) {
    const std::int64_t e = order[i];
    if (i < groups) {
      all.push_back({e});
      continue;
    }
    const auto nearest = std::max_element(all.begin(), all.end(), [&](const auto& a, const auto& b) {
      return similarity[a[0] * E + e] < similarity[b[0] * E + e];
    });
    nearest->push_back(e);
  }
  return all;
}

}  // namespace moe
