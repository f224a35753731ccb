// Random routing as dropout (SMoE-Dropout, arXiv:2303.01610): a router that never learns spreads tokens at random but always the
// same way; K grows in training, and at inference the model takes any number of experts ("self-slimmable").
#include "common/app/format.hpp"
#include "sessions/01_overview/challenges/challenges.hpp"
#include "sessions/01_overview/challenges/models.hpp"

namespace moe::session1 {
namespace {

struct Trial {
  std::string name;
  const char* router;
  std::int64_t K;  // in training, or at its end
  bool grows;
  std::vector<double> bits = {};  // for each K at inference
};

std::vector<std::int64_t> inference_counts(std::int64_t experts) {
  std::vector<std::int64_t> counts;
  for (std::int64_t K = 1; K <= experts; K *= 2) counts.push_back(K);
  return counts;
}

std::vector<Trial> trials_for(const LmOptions& o) {
  const std::int64_t few = o.model.moe.top_k, many = std::max(few, o.model.moe.experts / 2);
  return {{concat("learned, K ", few), "top_k", few, false},
          {concat("learned, K ", many), "top_k", many, false},
          {concat("random, K ", few), "frozen", few, false},
          {concat("random, K 1 to ", many), "frozen", many, true}};
}

bool run(Trial& trial, const LmOptions& o, const Corpus& corpus, const std::vector<std::int64_t>& counts) {
  LanguageModelConfig config = o.model;
  config.moe.router = trial.router;
  config.moe.top_k = trial.K;
  config.moe.k_growth_steps = trial.grows ? o.train.steps : 0;
  auto trained = train_model(trial.name, config, o, corpus);
  if (!trained) return false;
  for (const std::int64_t K : counts) {
    config.moe.top_k = K;
    const auto model = with_config(*trained->ctx, trained->model(), config);
    trial.bits.push_back(held_out_bits(*trained->ctx, *model, o, corpus));
  }
  return true;
}

Table table_of(const std::vector<Trial>& trials, const std::vector<std::int64_t>& counts) {
  std::vector<Column> columns = {{"router, K in training", Align::left}};
  for (const std::int64_t K : counts) columns.push_back({concat("K = ", K)});
  Table table(columns);
  for (const Trial& t : trials) {
    std::vector<std::string> cells = {t.name};
    for (const double bits : t.bits) cells.push_back(format_fixed(bits, 3));
    table.row(cells);
  }
  return table;
}

LinePlot plot_of(const std::vector<Trial>& trials, const std::vector<std::int64_t>& counts) {
  LinePlot plot{.title = "",
                .x_label = "experts a token at inference, K",
                .y_label = "held-out bits per byte",
                .series = {},
                .log_x = true};
  for (std::size_t i = 0; i < trials.size(); ++i)
    plot.series.push_back({.label = trials[i].name,
                           .x = {counts.begin(), counts.end()},
                           .y = trials[i].bits,
                           .colour = static_cast<int>(i),
                           .dashed = trials[i].router == std::string("frozen"),
                           .points = true});
  return plot;
}

std::string best_of(const Trial& t, const std::vector<std::int64_t>& counts) {
  const auto best = std::ranges::min_element(t.bits) - t.bits.begin();
  return concat(t.name, ": best with K = ", counts[static_cast<std::size_t>(best)], " at inference (",
                format_fixed(t.bits[static_cast<std::size_t>(best)], 3), "), ",
                format_fixed(t.bits[0] - t.bits[static_cast<std::size_t>(best)], 3), " worse with K = 1.");
}

}  // namespace

std::optional<Exhibit> random_routing(const LmOptions& o, const Corpus& corpus) {
  const std::vector<std::int64_t> counts = inference_counts(o.model.moe.experts);
  std::vector<Trial> trials = trials_for(o);
  Exhibit exhibit{.name = "random_routing", .table = Table({}), .sentences = {}, .panels = {}};
  for (Trial& trial : trials) {
    if (!run(trial, o, corpus, counts)) return std::nullopt;
    exhibit.sentences.push_back(best_of(trial, counts));
  }
  exhibit.sentences.emplace_back(
      "More experts cost more: FLOPs of the experts grow with K, in training and at inference.");
  exhibit.table = table_of(trials, counts);
  exhibit.panels = {plot_of(trials, counts)};
  return exhibit;
}

}  // namespace moe::session1
