// Stage 1.4: what keeps experts equally busy. The same small language model five times: nothing balances it, the z-loss alone,
// the load-balancing loss (Switch Transformer, arXiv:2101.03961), both (ST-MoE, arXiv:2202.08906), and a bias in place of a
// loss (arXiv:2408.15664).
//
//   moe stage 1.4
#include <algorithm>
#include <cstdio>

#include "common/app/format.hpp"
#include "common/app/interrupt.hpp"
#include "common/app/main.hpp"
#include "sessions/01_overview/experiment/exhibit.hpp"
#include "sessions/01_overview/experiment/lm_run.hpp"
#include "sessions/01_overview/experiment/load.hpp"

namespace {

using namespace moe;
using namespace moe::session1;

constexpr std::int64_t kEarly = 50;  // steps: a router that collapses has done so by then

struct Variant {
  const char* name;
  const char* router;
  double aux, z;
};
constexpr Variant kVariants[] = {{"nothing", "top_k", 0, 0},
                                 {"z-loss", "top_k", 0, 1e-3},
                                 {"aux loss", "top_k", 0.01, 0},
                                 {"aux loss + z-loss", "top_k", 0.01, 1e-3},
                                 {"bias", "bias_balanced", 0, 0}};

struct Outcome {
  const Variant& variant;
  LmRun run;
};

LanguageModelConfig config_of(const Variant& v, const LmOptions& o) {
  LanguageModelConfig c = o.model;
  c.moe.router = v.router;
  c.moe.balance_coefficient = v.aux;
  c.moe.z_coefficient = v.z;
  return c;
}

Table table_of(const std::vector<Outcome>& outcomes, const LmOptions& o) {
  const std::int64_t early = std::min(kEarly, o.train.steps);
  Table table({{"balanced by", Align::left},
               {concat("MaxVio, step ", early)},
               {"MaxVio, end"},
               {"load CV, end"},
               {"dead, end"},
               {"bits/byte"}});
  for (const Outcome& x : outcomes) {
    const LoadMetrics end = held_out_load(x.run.result.evaluation);
    table.row({x.variant.name, format_fixed(value_at(x.run.metrics, "max_violation", early), 2),
               format_fixed(end.max_violation, 2), format_fixed(end.cv, 2),
               concat(end.dead, " of ", o.model.moe.experts * o.model.layers),
               format_fixed(x.run.result.evaluation.bits_per_byte, 3)});
  }
  return table;
}

std::vector<std::string> sentences(const std::vector<Outcome>& outcomes, const LmOptions& o) {
  const auto bits = [](const Outcome& x) { return x.run.result.evaluation.bits_per_byte; };
  const auto violation = [](const Outcome& x) {
    return held_out_load(x.run.result.evaluation).max_violation;
  };
  const auto& best = *std::ranges::min_element(outcomes, {}, bits);
  const auto& tightest = *std::ranges::min_element(outcomes, {}, violation);
  const LoadMetrics free = held_out_load(outcomes[0].run.result.evaluation);
  return {concat("Balanced by nothing: on held-out text the busiest expert of a layer gets ",
                 format_fixed(free.max_violation + 1, 1), " times the mean, and ", free.dead, " of ",
                 o.model.moe.experts * o.model.layers, " experts get less than 2 % of it."),
          concat("Most even at the end: ", tightest.variant.name, ". Lowest bits per byte: ",
                 best.variant.name, ", ", format_fixed(bits(outcomes[0]) - bits(best), 3),
                 " below nothing. One seed: with another --seed the order in that column may be another."),
          concat("Columns marked end are on held-out text, mean over layers. Training took ", o.train.steps,
                 " steps a row.")};
}

std::vector<Plot> panels(const std::vector<Outcome>& outcomes, const LmOptions& o) {
  LinePlot violation{.title = "Busiest expert, training batches (mean over layers)",
                     .x_label = "step",
                     .y_label = "MaxVio",
                     .series = {},
                     .y_low = 0};
  std::vector<Plot> plots(1);
  const auto layer = static_cast<std::size_t>(o.model.layers - 1);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& [variant, run] = outcomes[i];
    violation.series.push_back(
        metric_series(run.metrics, "step", "max_violation", variant.name, static_cast<int>(i)));
    if (i % 2 == 0)  // three of five: nothing, aux loss, bias
      plots.push_back(
          load_over_time(run.metrics, layer, concat("Balanced by ", variant.name, ", layer ", layer + 1)));
  }
  plots[0] = violation;
  return plots;
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    const LmOptions o =
        parse_lm_options(argc, argv,
                         {.number = "1.4",
                          .summary = "Five ways to balance the load of experts, or not to, on the same text.",
                          .examples = "moe stage 1.4\nmoe stage 1.4 --quick\nmoe stage 1.4 --experts 64"},
                         small_lm(), 200);
    const Corpus corpus = load_corpus(corpus_options(o));
    const InterruptGuard guard;
    std::vector<Outcome> outcomes;
    for (const Variant& v : kVariants) {
      std::optional<LmRun> run = train_named(v.name, config_of(v, o), o, corpus);
      if (!run) return kExitInterrupted;
      outcomes.push_back({v, std::move(*run)});
    }
    return show({"load_balance", table_of(outcomes, o), sentences(outcomes, o), panels(outcomes, o), 2}, o);
  });
}
