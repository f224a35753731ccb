// Representation collapse (Chi et al. 2022, arXiv:2204.09179): the gradient that a softmax router sends back pulls hidden states
// towards the span of its rows, of which there are fewer than dimensions. Do they lose rank, and does a cosine router, which
// compares in a narrower space, help? Routers that do not learn are the control.
#include <cmath>

#include "common/analysis/analysis.hpp"
#include "common/app/format.hpp"
#include "sessions/01_overview/challenges/challenges.hpp"
#include "sessions/01_overview/challenges/geometry.hpp"
#include "sessions/01_overview/challenges/models.hpp"
#include "sessions/01_overview/experiment/mixed_text.hpp"

namespace moe::session1 {
namespace {

struct Trial {
  const RouterRow* row;
  double bits = NAN, row_cosine = NAN;
  std::vector<double> step{}, rank{}, inside{};  // over time; of the last layer
};

// What the last layer's router reads on held-out text: (N, D).
Tensor hidden_states(TrainedModel& trained, const Batch& batch) {
  MetricSink sink;
  sink.detailed = true;
  row_losses_of(*trained.ctx, trained.model(), batch, &sink);
  Tensor last;
  for (const MetricSink::Item& item : sink.items)
    if (item.name == "input") last = item.tensor;
  return last;
}

void measure(Trial& trial, TrainedModel& trained, const Batch& batch) {
  const Tensor states = hidden_states(trained, batch);
  const std::vector<double> rows = router_rows(trained.model());
  trial.step.push_back(static_cast<double>(trained.trainer->steps_done()));
  trial.rank.push_back(effective_rank(states));
  trial.inside.push_back(rows.empty() ? NAN : share_inside(states, rows));
  if (rows.empty()) return;
  const std::int64_t D = states.size(1), E = static_cast<std::int64_t>(rows.size()) / D;
  trial.row_cosine = mean_off_diagonal(cosine_similarity(tensor_of(*trained.ctx, rows, {E, D})));
}

bool run(Trial& trial, const LmOptions& o, const Corpus& corpus, const Batch& batch) {
  LanguageModelConfig config = o.model;
  config.moe.router = trial.row->name;
  const std::int64_t every = std::max<std::int64_t>(1, o.train.steps / 12);
  auto trained = train_model(trial.row->name, config, o, corpus, every,
                             [&](TrainedModel& m, const StepReport*) { measure(trial, m, batch); });
  if (trained) trial.bits = held_out_bits(*trained->ctx, trained->model(), o, corpus);
  return trained.has_value();
}

std::string number(double x, int decimals) {
  return std::isfinite(x) ? format_fixed(x, decimals) : "";
}

Table table_of(const std::vector<Trial>& trials) {
  Table table({{"router", Align::left},
               {"bits/byte"},
               {"rank, first step"},
               {"rank, last step"},
               {"in the router's span, first"},
               {"last"},
               {"cosine of router rows"}});
  for (const Trial& t : trials)
    table.row({t.row->name, number(t.bits, 3), number(t.rank.front(), 1), number(t.rank.back(), 1),
               std::isfinite(t.inside.front()) ? format_percent(t.inside.front()) : "",
               std::isfinite(t.inside.back()) ? format_percent(t.inside.back()) : "",
               number(t.row_cosine, 3)});
  return table;
}

LinePlot panel(const std::vector<Trial>& trials, std::vector<double> Trial::*y, const std::string& label) {
  LinePlot plot{.title = "",
                .x_label = "step",
                .y_label = label,
                .series = {},
                .y_low = 0,
                .width = 480,
                .height = 320};
  for (std::size_t i = 0; i < trials.size(); ++i)
    plot.series.push_back({.label = trials[i].row->name,
                           .x = trials[i].step,
                           .y = trials[i].*y,
                           .colour = static_cast<int>(i),
                           .points = true});
  return plot;
}

std::vector<std::string> sentences(const std::vector<Trial>& trials, const LanguageModelConfig& config) {
  std::vector<std::string> all;
  for (const Trial& t : trials) {
    const double change = t.rank.back() - t.rank.front();
    all.push_back(concat(t.row->name, ": hidden states ", change < 0 ? "lose " : "gain ",
                         format_fixed(std::abs(change), 1), " of ", config.width,
                         " possible dimensions over training."));
  }
  all.push_back(concat(
      "By chance ",
      format_percent(
          std::min(1.0, static_cast<double>(config.moe.experts) / static_cast<double>(config.width)), 0),
      " of a state lies in the span of ", config.moe.experts, " rows."));
  return all;
}

}  // namespace

std::optional<Exhibit> collapse(const LmOptions& o, const Corpus& corpus) {
  const Batch batch = mixed_held_out(corpus, 2 * o.train.sequences, o.train.length, 1)[0];
  std::vector<Trial> trials;
  for (const char* name : {"top_k", "cosine", "frozen", "hash"})
    if (const RouterRow* row = find_router(name)) {
      trials.push_back({.row = row});
      if (!run(trials.back(), o, corpus, batch)) return std::nullopt;
    }
  return Exhibit{.name = "collapse",
                 .table = table_of(trials),
                 .sentences = sentences(trials, o.model),
                 .panels = {panel(trials, &Trial::rank, "effective rank of hidden states"),
                            panel(trials, &Trial::inside, "share in the span of the router's rows")},
                 .columns = 2};
}

}  // namespace moe::session1
