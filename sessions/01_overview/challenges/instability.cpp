// Instability: what a router loses in low precision, and what the cures are worth: a router in f32, a z-loss that keeps logits
// small (ST-MoE, arXiv:2202.08906), a lower learning rate. All combinations run; none is left out.
#include "sessions/01_overview/challenges/instability.hpp"

#include <algorithm>

#include "common/analysis/analysis.hpp"
#include "sessions/01_overview/challenges/challenges.hpp"
#include "sessions/01_overview/challenges/models.hpp"
#include "sessions/01_overview/experiment/mixed_text.hpp"

namespace moe::session1 {
namespace {

constexpr double kFactors[] = {1, 5};  // of the learning rate
constexpr double kZ = 1e-3;

std::vector<Tensor> decisions(Context& ctx, LanguageModel& model, const Batch& batch) {
  MetricSink sink;
  row_losses_of(ctx, model, batch, &sink);
  std::vector<Tensor> experts;
  for (const MetricSink::Item& item : sink.items)
    if (item.name == "expert") experts.push_back(item.tensor);
  return experts;
}

// Share of the choices that the same model makes otherwise when its router computes with so many bits.
double flips(TrainedModel& trained, std::int64_t bits, const std::vector<Batch>& batches) {
  LanguageModelConfig config = trained.model().config();
  config.moe.router_bits = 0;
  const auto exact = with_config(*trained.ctx, trained.model(), config);
  config.moe.router_bits = bits;
  const auto rounded = with_config(*trained.ctx, trained.model(), config);
  double sum = 0, count = 0;
  for (const Batch& batch : batches) {
    const auto a = decisions(*trained.ctx, *exact, batch), b = decisions(*trained.ctx, *rounded, batch);
    for (std::size_t layer = 0; layer < a.size(); ++layer, ++count) sum += 1 - saturation(a[layer], b[layer]);
  }
  return sum / count;
}

void note(StabilityTrial& trial, const StepReport& r, std::int64_t warm_up) {
  trial.step.push_back(static_cast<double>(r.step));
  trial.loss.push_back(r.loss);
  trial.logsumexp.push_back(std::sqrt(r.extra.at("z")));
  if (r.step > warm_up) trial.largest_gradient = std::max(trial.largest_gradient, r.gradient_norm);
}

// False: interrupted.
bool run(StabilityTrial& trial, const LmOptions& asked, const Corpus& corpus,
         const std::vector<Batch>& batches) {
  LmOptions o = asked;
  o.train.learning_rate *= trial.factor;
  o.model.moe.router = "top_k";
  o.model.moe.router_bits = trial.precision.bits;
  o.model.moe.z_coefficient = trial.z;
  const auto warm_up =
      static_cast<std::int64_t>(o.train.warmup_fraction * static_cast<double>(o.train.steps));
  std::int64_t step = 0;
  const std::string name = concat("router in ", trial.precision.name, ", learning rate × ", trial.factor,
                                  trial.z > 0 ? ", z-loss" : "");
  try {
    auto trained = train_model(name, o.model, o, corpus, 1, [&](TrainedModel&, const StepReport* r) {
      ++step;
      if (r) note(trial, *r, warm_up);
    });
    if (!trained) return false;
    trial.bits = held_out_bits(*trained->ctx, trained->model(), o, corpus);
    trial.bf16_flips = flips(*trained, 7, batches);
    trial.coarse_flips = flips(*trained, 3, batches);
  } catch (const UserError& e) {
    if (e.code() != ExitCode::verdict_failed) throw;
    trial.diverged = step;
  }
  return true;
}

}  // namespace

std::optional<Exhibit> instability(const LmOptions& o, const Corpus& corpus) {
  const std::vector<Batch> batches = mixed_held_out(corpus, o.train.sequences, o.train.length, 8);
  std::vector<StabilityTrial> trials;
  for (const double factor : kFactors)
    for (const Precision& precision : kPrecisions)
      for (const double z : {0.0, kZ}) {
        trials.push_back({.precision = precision, .factor = factor, .z = z});
        if (!run(trials.back(), o, corpus, batches)) return std::nullopt;
      }
  return instability_exhibit(trials);
}

}  // namespace moe::session1
