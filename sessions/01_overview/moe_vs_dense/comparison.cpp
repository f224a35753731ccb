#include "sessions/01_overview/moe_vs_dense/comparison.hpp"

#include <algorithm>
#include <cmath>

#include "common/app/format.hpp"
#include "sessions/01_overview/experiment/load.hpp"
#include "sessions/01_overview/experiment/statistics.hpp"

namespace moe::session1 {
namespace {

// The step at which a run first was as good as `level`; -1: never.
std::int64_t first_step_below(const ModelRun& run, double level) {
  const auto [x, y] = curve_of(run.metrics, "step", "held_out");
  for (std::size_t i = 0; i < x.size(); ++i)
    if (y[i] <= level) return static_cast<std::int64_t>(x[i]);
  return -1;
}

double bytes_per_token(const Corpus& corpus) {
  double bytes = 0, tokens = 0;
  for (const Domain& domain : corpus.domains) {
    for (const Token token : domain.held_out)
      bytes += static_cast<double>(corpus.tokenizer->byte_count(token));
    tokens += static_cast<double>(domain.held_out.size());
  }
  return tokens > 0 ? bytes / tokens : 1;
}

}  // namespace

Comparison compare(const Options& options, const Corpus& corpus, ModelRun dense, ModelRun moe) {
  Comparison c;
  c.options = options;
  c.dense = std::move(dense);
  c.moe = std::move(moe);
  c.tokenizer = corpus.tokenizer->name();
  c.bytes_per_token = bytes_per_token(corpus);
  c.domains = domain_names(corpus);
  c.fair_seconds = std::min(c.dense.result.seconds, c.moe.result.seconds);
  c.dense_at_seconds = held_out_curve(c.dense.metrics).at(c.fair_seconds);
  c.moe_at_seconds = held_out_curve(c.moe.metrics).at(c.fair_seconds);
  return c;
}

Table comparison_table(const Comparison& c) {
  Table table({{"", Align::left}, {c.dense.name}, {c.moe.name}});
  const auto row = [&](const std::string& what, auto value) {
    table.row({what, value(c.dense), value(c.moe)});
  };
  row("parameters", [](const ModelRun& r) { return format_count(static_cast<double>(r.cost.parameters)); });
  row("active parameters",
      [](const ModelRun& r) { return format_count(static_cast<double>(r.cost.active_parameters)); });
  row("FLOPs a token, forward", [](const ModelRun& r) { return format_count(r.cost.flops_per_token); });
  row("tokens/s, training", [](const ModelRun& r) { return format_count(r.tokens_per_second); });
  row("training time", [](const ModelRun& r) { return format_duration(r.result.seconds); });
  table.rule();
  row(concat("held-out bits/byte after ", c.options.train.steps, " steps"),
      [](const ModelRun& r) { return format_fixed(r.result.evaluation.bits_per_byte, 3); });
  table.row({concat("held-out bits/byte after ", format_duration(c.fair_seconds)),
             format_fixed(c.dense_at_seconds, 3), format_fixed(c.moe_at_seconds, 3)});
  table.rule();
  for (std::size_t d = 0; d < c.domains.size(); ++d)
    row("  " + c.domains[d],
        [&](const ModelRun& r) { return format_fixed(r.result.evaluation.domain_bits[d], 3); });
  return table;
}

std::string winner(double dense, double moe) {
  const std::string gap = format_fixed(std::abs(dense - moe), 3);
  if (std::abs(dense - moe) < 2 * kSeedDeviation)
    return concat("there is no winner: the gap of ", gap,
                  " bits per byte is within the noise between seeds (2 × ", format_fixed(kSeedDeviation, 3),
                  ")");
  return concat(moe < dense ? "the MoE is ahead by " : "the dense model is ahead by ", gap, " bits per byte");
}

std::vector<std::string> verdict(const Comparison& c) {
  std::vector<std::string> lines;
  const double dense = c.dense.result.evaluation.bits_per_byte, moe = c.moe.result.evaluation.bits_per_byte;
  lines.push_back(concat("After equal steps ", winner(dense, moe), "."));
  lines.push_back(concat("After equal seconds (", format_duration(c.fair_seconds), ") ",
                         winner(c.dense_at_seconds, c.moe_at_seconds),
                         "; the slower model's learning rate has not come down yet at that time."));
  if (const std::int64_t step = first_step_below(c.moe, dense); moe < dense && step > 0)
    lines.push_back(concat("The MoE is as good as the finished dense model by step ", step, " of ",
                           c.options.train.steps, "."));
  double information = 0;
  for (const auto& layer : c.moe.result.evaluation.expert_domain)
    information +=
        mutual_information(layer) / static_cast<double>(c.moe.result.evaluation.expert_domain.size());
  lines.push_back(concat("Knowing a token's expert tells ", format_fixed(information, 2), " of ",
                         format_fixed(std::log(static_cast<double>(c.domains.size())), 2),
                         " nats about its domain (mean over layers)."));
  return lines;
}

std::string caveat() {
  return "One seed. The noise between seeds is measured by --full, which trains every model with three: "
         "sessions/01_overview/README.md.";
}

HeatMap expert_domain_counts(const Comparison& c, std::size_t layer) {
  return domain_counts(c.moe.result.evaluation, layer, c.domains);
}

HeatMap what_experts_read(const Comparison& c, std::size_t layer) {
  HeatMap map = specialisation(expert_domain_counts(c, layer));
  scale_to_largest(map);
  return map;
}

std::vector<std::int64_t> expert_load(const Comparison& c, std::size_t layer) {
  std::vector<std::int64_t> load;
  for (const auto& expert : c.moe.result.evaluation.expert_domain.at(layer)) {
    double sum = 0;
    for (const double n : expert) sum += n;
    load.push_back(static_cast<std::int64_t>(sum));
  }
  return load;
}

}  // namespace moe::session1
