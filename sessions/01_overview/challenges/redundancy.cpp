// Redundant experts: how alike those of a trained model are, and what remains when there are fewer: pruned by REAP's score
// (arXiv:2510.13999), merged after neuron alignment as in MC-SMoE (arXiv:2310.01334), pruned at random. Nothing is trained afterwards.
#include "sessions/01_overview/challenges/redundancy.hpp"

#include <algorithm>

#include "common/analysis/analysis.hpp"
#include "common/app/format.hpp"
#include "common/convert/fewer_experts.hpp"
#include "common/train/batch_tensors.hpp"
#include "sessions/01_overview/challenges/challenges.hpp"
#include "sessions/01_overview/challenges/models.hpp"

namespace moe::session1 {
namespace {

constexpr int kDraws = 5;                     // of random pruning
constexpr std::uint32_t kFirst = 50'000'000;  // training batches that no run of this program reaches
constexpr int kBatches = 16;

using Kept = std::vector<std::vector<std::int64_t>>;  // of each layer

std::vector<ExpertStatistics> statistics_of(TrainedModel& t, const Corpus& corpus) {
  std::vector<ExpertStatistics> layers;
  const TrainSettings& s = t.trainer->settings();
  for (std::uint32_t b = 0; b < kBatches; ++b) {
    const BatchTensors batch =
        to_device(*t.ctx, make_batch(corpus, s.seed, kFirst + b, s.sequences, s.length));
    observe(*t.ctx, t.model(), batch.tokens, layers);
  }
  return layers;
}

Kept best_by_reap(const std::vector<ExpertStatistics>& layers, std::int64_t keep) {
  Kept kept;
  for (const ExpertStatistics& s : layers) kept.push_back(best_scores(reap_scores(s), keep));
  return kept;
}

Kept random_choice(std::size_t layers, std::int64_t experts, std::int64_t keep, std::uint64_t draw) {
  Kept kept;
  for (std::size_t l = 0; l < layers; ++l) {
    std::vector<double> score;
    for (std::int64_t e = 0; e < experts; ++e)
      score.push_back(
          philox({.seed = draw, .layer = static_cast<std::uint16_t>(l)}, static_cast<std::uint64_t>(e))[0]);
    kept.push_back(best_scores(score, keep));
  }
  return kept;
}

FewerExperts fewer(TrainedModel& t, const std::vector<ExpertStatistics>& layers, std::int64_t keep,
                   const LmOptions& o, const Corpus& corpus) {
  const auto bits = [&](LanguageModel model) { return held_out_bits(*t.ctx, model, o, corpus); };
  std::vector<ExpertGroups> groups;
  for (const ExpertStatistics& s : layers) groups.push_back(group_by_logits(s, keep));
  LanguageModel reap = pruned_model(*t.ctx, t.model(), best_by_reap(layers, keep));
  FewerExperts row{.experts = keep};
  row.removed =
      1 - static_cast<double>(count_parameters(reap)) / static_cast<double>(count_parameters(t.model()));
  row.reap = held_out_bits(*t.ctx, reap, o, corpus);
  row.merged = bits(merged_model(*t.ctx, t.model(), groups, layers, RouterRows::kept));
  row.merged_rows = bits(merged_model(*t.ctx, t.model(), groups, layers, RouterRows::merged));
  std::vector<double> draws;
  for (int d = 1; d <= kDraws; ++d)
    draws.push_back(bits(pruned_model(
        *t.ctx, t.model(),
        random_choice(layers.size(), t.model().config().moe.experts, keep, static_cast<std::uint64_t>(d)))));
  row.random = 0;
  for (const double x : draws) row.random += x / kDraws;
  row.random_low = *std::ranges::min_element(draws), row.random_high = *std::ranges::max_element(draws);
  return row;
}

// "Experts of the last layer: mean cosine 0.021 as they stand, 0.134 with neurons aligned."
std::string similarity(TrainedModel& t) {
  Tensor gate_up, down;
  t.model().visit([&](const std::string& name, Parameter& p) {
    if (name.ends_with("experts.gate_up.weight")) gate_up = p.value;
    if (name.ends_with("experts.down.weight")) down = p.value;
  });
  const std::vector<double> aligned = aligned_similarity(ExpertWeights(gate_up, down));
  return concat("Experts of the last layer: mean cosine ",
                format_fixed(mean_off_diagonal(cosine_similarity(gate_up)), 3),
                " as their gate and up matrices stand, ", format_fixed(mean_off_diagonal(aligned), 3),
                " of all weights with neurons aligned.");
}

}  // namespace

std::optional<Exhibit> redundancy(const LmOptions& o, const Corpus& corpus) {
  LanguageModelConfig config = o.model;
  config.moe.router = "top_k";
  auto trained = train_model("a model to take experts from", config, o, corpus);
  if (!trained) return std::nullopt;
  const std::vector<ExpertStatistics> layers = statistics_of(*trained, corpus);
  const double whole = held_out_bits(*trained->ctx, trained->model(), o, corpus);
  const std::int64_t E = config.moe.experts;
  std::vector<FewerExperts> rows = {{E, 0, whole, whole, whole, whole, whole, whole}};
  for (const std::int64_t keep : {E * 7 / 8, E * 3 / 4, E / 2, E / 4})
    if (keep >= config.moe.top_k && keep < rows.back().experts)
      rows.push_back(fewer(*trained, layers, keep, o, corpus));
  return redundancy_exhibit(rows, similarity(*trained));
}

}  // namespace moe::session1
