// report.html of the comparison, and its numbers as CSV and JSON.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "common/app/format.hpp"
#include "common/app/machine.hpp"
#include "common/io/config_json.hpp"
#include "common/report/gnuplot.hpp"
#include "common/report/html.hpp"
#include "common/report/write_file.hpp"
#include "kernels/gemm/gemm.hpp"
#include "sessions/01_overview/experiment/load.hpp"
#include "sessions/01_overview/moe_vs_dense/comparison.hpp"

namespace moe::session1 {
namespace {

constexpr int kDenseColour = 0, kMoeColour = 1;

Series series_of(const ModelRun& run, const char* x, const char* y, int colour) {
  return metric_series(run.metrics, x, y, run.name, colour);
}

// Held-out quality of both models.
LinePlot loss_plot(const Comparison& c, const char* x, const std::string& x_label) {
  LinePlot plot{.title = "", .x_label = x_label, .y_label = "bits per byte", .series = {}};
  for (const auto& [run, colour] : {std::pair{&c.dense, kDenseColour}, std::pair{&c.moe, kMoeColour}}) {
    Series held_out = series_of(*run, x, "held_out", colour);
    held_out.points = true;
    plot.series.push_back(std::move(held_out));
  }
  return plot;
}

LinePlot training_plot(const Comparison& c) {
  LinePlot plot{
      .title = "", .x_label = "step", .y_label = concat("training loss, nats a ", c.token()), .series = {}};
  for (const auto& [run, colour] : {std::pair{&c.dense, kDenseColour}, std::pair{&c.moe, kMoeColour}}) {
    Series raw = series_of(*run, "step", "loss", colour), smooth = raw;
    raw.faint = true;
    smooth.y = smoothed(raw.y, 21);
    plot.series.push_back(std::move(raw));
    plot.series.push_back(std::move(smooth));
  }
  return plot;
}

LinePlot metric_plot(const Comparison& c, const char* key, const std::string& label) {
  return {.title = "",
          .x_label = "step",
          .y_label = label,
          .series = {series_of(c.moe, "step", key, kMoeColour)},
          .y_low = 0};
}

HeatMapPlot layer_load(const Comparison& c, std::size_t layer) {
  return load_over_time(c.moe.metrics, layer, concat("Layer ", layer + 1));
}

void add_result(HtmlReport& page, const Comparison& c) {
  const auto bits = [](const ModelRun& r) { return format_fixed(r.result.evaluation.bits_per_byte, 3); };
  page.section("Result");
  page.tiles({{bits(c.dense), "dense, bits per byte",
               "held-out, after " + std::to_string(c.options.train.steps) + " steps"},
              {bits(c.moe), "MoE, bits per byte",
               "held-out, after " + std::to_string(c.options.train.steps) + " steps"},
              {format_fixed(c.dense_at_seconds, 3) + " / " + format_fixed(c.moe_at_seconds, 3),
               "dense / MoE after equal seconds", format_duration(c.fair_seconds) + " of training"},
              {format_count(c.dense.tokens_per_second) + " / " + format_count(c.moe.tokens_per_second),
               "dense / MoE tokens per second"}});
  for (const std::string& line : verdict(c)) page.paragraph(line);
  page.note(caveat());
  page.table(comparison_table(c),
             "Both models saw the same batches in the same order. Bits per byte are not comparable between "
             "scripts.");
}

void add_experts(HtmlReport& page, const Comparison& c) {
  const std::size_t layers = c.moe.result.evaluation.expert_domain.size();
  page.section("Expert load");
  std::vector<Figure> loads;
  for (std::size_t l = 0; l < layers; ++l)
    loads.push_back(
        {layer_load(c, l),
         concat("Layer ", l + 1, ": load of each expert in the logged steps, as a multiple of the mean."),
         concat("load_layer_", l + 1, ".csv")});
  page.figures(loads);
  std::vector<Figure> figures = {
      {metric_plot(c, "load_cv", "load CV"),
       "Coefficient of variation of the load, mean over layers: 0 is perfect balance."}};
  const bool has_entropy = std::ranges::any_of(
      c.moe.metrics, [](const MetricRecord& record) { return std::isfinite(record.number("entropy")); });
  if (has_entropy)  // a router without a distribution has none
    figures.push_back(
        {metric_plot(c, "entropy", "router entropy, nats"),
         "Mean entropy of the router's distribution: it falls as the router makes up its mind."});
  page.figures(figures);
  page.section("Experts and domains");
  std::vector<HeatMap> maps;
  for (std::size_t l = 0; l < layers; ++l) maps.push_back(what_experts_read(c, l));
  page.heat_maps(maps, concat("P(domain | expert) on held-out text, experts ordered by the domain they read "
                              "most. All domains have the "
                              "same share of the text, so 1/",
                              c.domains.size(), " everywhere would be no specialisation."));
}

void add_texts(HtmlReport& page, const Comparison& c) {
  page.section("Who reads what");
  page.routed_texts(c.moe.routed, static_cast<int>(c.moe.config.moe.experts),
                    concat("Held-out text, every ", c.token(),
                           " coloured by the first of its experts. Hover for expert "
                           "and gate; choose a layer above."));
  page.section("Generated text");
  for (std::size_t i = 0; i < c.moe.samples.size(); ++i) {
    page.subsection(c.moe.samples[i].domain);
    page.text(c.moe.samples[i].prompt, "prompt, from held-out text");
    page.text(c.dense.samples[i].text, "dense");
    page.text(c.moe.samples[i].text, "MoE");
  }
}

void add_setup(HtmlReport& page, const Comparison& c, const Corpus& corpus) {
  page.section("Configuration");
  page.code(c.options.command);
  page.subsection("MoE model");
  page.code(to_config_json(c.moe.config));
  page.subsection("Dense model");
  page.code(to_config_json(c.dense.config));
  const TrainSettings& t = c.options.train;
  page.subsection("Training, both alike");
  page.key_values({{"steps", std::to_string(t.steps)},
                   {"batch", concat(t.sequences, " × ", t.length, " ", c.token(), "s")},
                   {"tokenizer", concat(c.tokenizer, ": ", format_fixed(c.bytes_per_token, 2),
                                        " bytes a token on held-out text")},
                   {"peak learning rate", concat(t.learning_rate)},
                   {"weight decay", concat(t.weight_decay)},
                   {"clip", concat(t.max_norm)},
                   {"seed", concat(t.seed)}});
  page.section("Data");
  Table texts(
      {{"domain", Align::left}, {"bytes"}, {"held out"}, {"source", Align::left}, {"licence", Align::left}});
  for (const Domain& d : corpus.domains)
    texts.row({d.name, format_count(static_cast<double>(d.bytes)),
               format_percent(static_cast<double>(d.held_out.size()) /
                              static_cast<double>(d.held_out.size() + d.train.size())),
               d.source, d.licence});
  page.table(texts);
  page.section("Machine");
  KeyValues facts = machine_facts(this_machine());
  facts.push_back({"device", c.options.choice.why.empty() ? c.options.device : c.options.choice.why});
  facts.push_back({"matrix operands", c.options.dtype});
  facts.push_back({"threads", std::to_string(c.options.threads)});
  facts.push_back({"matrix products", gemm_library()});
  page.key_values(facts);
}

// Pictures for documents.
void write_svg(const std::filesystem::path& file, const Plot& plot) {
  if (const auto svg = render_svg_file(plot)) write_file(file.string(), *svg);
}

HeatMapPlot last_experts(const Comparison& c) {
  const Evaluation& e = c.moe.result.evaluation;
  HeatMapPlot plot = experts_plot(e, e.expert_domain.size() - 1, c.domains);
  plot.map.title.clear();
  return plot;
}

}  // namespace

void write_report(const Comparison& c, const Corpus& corpus) {
  HtmlReport page("Dense or Mixture-of-Experts?",
                  "Two language models, the same text, the same active FLOPs a token");
  add_result(page, c);
  page.section("Loss");
  page.figures({{loss_plot(c, "step", "step"), "Held-out text, after equal steps.", "held_out_steps.csv"},
                {loss_plot(c, "seconds", "seconds of training"), "Held-out text, after equal seconds.",
                 "held_out_seconds.csv"},
                {training_plot(c), "Training loss; pale: each logged step, strong: its running mean.",
                 "training_loss.csv"}});
  add_experts(page, c);
  add_texts(page, c);
  add_setup(page, c, corpus);
  const std::filesystem::path out = c.options.out;
  write_file((out / "report.html").string(), page.str());
  write_file((out / "held_out_steps.csv").string(), csv(Plot(loss_plot(c, "step", "step"))));
  write_file((out / "held_out_seconds.csv").string(), csv(Plot(loss_plot(c, "seconds", "seconds"))));
  write_file((out / "training_loss.csv").string(), csv(Plot(training_plot(c))));
  write_file((out / "comparison.csv").string(), comparison_table(c).csv());
  write_file((out / "comparison.txt").string(), result_text(c));
  write_svg(out / "held_out.svg", loss_plot(c, "step", "step"));
  write_svg(out / "experts.svg", last_experts(c));
  write_file((out / "comparison.json").string(), comparison_json(c));
  for (std::size_t l = 0; l < c.moe.result.evaluation.expert_domain.size(); ++l) {
    write_file((out / concat("load_layer_", l + 1, ".csv")).string(), csv(Plot(layer_load(c, l))));
    write_file((out / concat("expert_domain_layer_", l + 1, ".csv")).string(),
               csv(expert_domain_counts(c, l)));
  }
}

std::string comparison_json(const Comparison& c) {
  MetricRecord record;
  for (const ModelRun* run : {&c.dense, &c.moe}) {
    const std::string p = run == &c.dense ? "dense_" : "moe_";
    record.set(p + "parameters", run->cost.parameters)
        .set(p + "active_parameters", run->cost.active_parameters)
        .set(p + "flops_per_token", run->cost.flops_per_token)
        .set(p + "tokens_per_second", run->tokens_per_second)
        .set(p + "seconds", run->result.seconds)
        .set(p + "bits_per_byte", run->result.evaluation.bits_per_byte)
        .set(p + "domain_bits", run->result.evaluation.domain_bits)
        .set(p + "bits_per_byte_at_equal_seconds", run == &c.dense ? c.dense_at_seconds : c.moe_at_seconds);
  }
  record.set("equal_seconds", c.fair_seconds)
      .set("steps", c.options.train.steps)
      .set("tokenizer", c.tokenizer)
      .set("bytes_per_token", c.bytes_per_token)
      .set("seed", static_cast<std::int64_t>(c.options.train.seed));
  return to_json(record) + "\n";
}

}  // namespace moe::session1
