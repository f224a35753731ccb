// Instability: what a router loses in low precision, and what the cures are worth: a router in f32, a z-loss that keeps logits
// small (ST-MoE, arXiv:2202.08906), a lower learning rate. All combinations run; none is left out.
#include <algorithm>
#include <cmath>

#include "common/app/format.hpp"
#include "common/moe/analysis.hpp"
#include "sessions/01_overview/challenges/challenges.hpp"
#include "sessions/01_overview/challenges/models.hpp"
#include "sessions/01_overview/experiment/mixed_text.hpp"

namespace moe::session1 {
namespace {

struct Precision {
  std::int64_t bits;  // of mantissa; 0: all
  const char* name;
};
constexpr Precision kPrecisions[] = {{0, "f32"}, {7, "bf16"}, {3, "3 bits"}};
constexpr double kFactors[] = {1, 5};  // of the learning rate
constexpr double kZ = 1e-3;

struct Trial {
  Precision precision;
  double factor, z;
  double bits = NAN, largest_gradient = 0, bf16_flips = NAN, coarse_flips = NAN;
  std::int64_t diverged = 0;  // step; 0: it did not
  std::vector<double> step, loss, logsumexp;
};

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

void note(Trial& trial, const StepReport& r, std::int64_t warm_up) {
  trial.step.push_back(static_cast<double>(r.step));
  trial.loss.push_back(r.loss);
  trial.logsumexp.push_back(std::sqrt(r.extra.at("z")));
  if (r.step > warm_up) trial.largest_gradient = std::max(trial.largest_gradient, r.gradient_norm);
}

// False: interrupted.
bool run(Trial& trial, const LmOptions& asked, const Corpus& corpus, const std::vector<Batch>& batches) {
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

std::string percent(double x) {
  return std::isfinite(x) ? format_percent(x, 2) : "";
}

Table table_of(const std::vector<Trial>& trials) {
  Table table({{"learning rate", Align::left},
               {"router", Align::left},
               {"z-loss", Align::left},
               {"bits/byte"},
               {"logsumexp"},
               {"largest gradient"},
               {"bf16 flips"},
               {"3 bits flip"}});
  for (const Trial& t : trials) {
    if (&t != &trials[0] && t.factor != (&t)[-1].factor) table.rule();
    table.row({concat("× ", t.factor), t.precision.name, t.z > 0 ? "yes" : "",
               t.diverged ? concat("diverged at ", t.diverged) : format_fixed(t.bits, 3),
               t.logsumexp.empty() ? "" : format_fixed(t.logsumexp.back(), 2),
               format_fixed(t.largest_gradient, 1), percent(t.bf16_flips), percent(t.coarse_flips)});
  }
  return table;
}

LinePlot panel(const std::vector<Trial>& trials, double factor, bool loss) {
  LinePlot plot{.title = concat("learning rate × ", factor),
                .x_label = "step",
                .y_label = loss ? "training loss, nats" : "logsumexp of the logits, rms",
                .series = {},
                .width = 480,
                .height = 300};
  for (const Trial& t : trials) {
    if (t.factor != factor) continue;
    const auto colour =
        static_cast<int>(std::ranges::find(kPrecisions, t.precision.bits, &Precision::bits) - kPrecisions);
    plot.series.push_back({.label = concat(t.precision.name, t.z > 0 ? ", z-loss" : ""),
                           .x = t.step,
                           .y = loss ? smoothed(t.loss, 41) : t.logsumexp,
                           .colour = colour,
                           .dashed = t.z > 0});
  }
  return plot;
}

// The widest gap between precisions at one learning rate without a z-loss.
std::string what_precision_does(const std::vector<Trial>& trials, double factor) {
  double least = INFINITY, most = -INFINITY;
  std::int64_t diverged = 0;
  for (const Trial& t : trials)
    if (t.factor == factor && t.z == 0) {
      diverged += t.diverged > 0;
      if (t.diverged == 0) least = std::min(least, t.bits), most = std::max(most, t.bits);
    }
  std::string text = concat("At learning rate × ", factor, " without a z-loss ");
  if (diverged > 0)
    text += concat(diverged, " of ", std::size(kPrecisions), " routers diverged; the others ");
  return text + concat("the precisions lie ", format_fixed(std::max(0.0, most - least), 3),
                       " bits per byte apart",
                       most - least < 0.02 ? ": no more than the noise between seeds." : ".");
}

}  // namespace

std::optional<Exhibit> instability(const LmOptions& o, const Corpus& corpus) {
  const std::vector<Batch> batches = mixed_held_out(corpus, o.train.sequences, o.train.length, 8);
  std::vector<Trial> trials;
  for (const double factor : kFactors)
    for (const Precision& precision : kPrecisions)
      for (const double z : {0.0, kZ}) {
        trials.push_back({.precision = precision, .factor = factor, .z = z});
        if (!run(trials.back(), o, corpus, batches)) return std::nullopt;
      }
  return Exhibit{
      .name = "instability",
      .table = table_of(trials),
      .sentences = {what_precision_does(trials, 1), what_precision_does(trials, 5),
                    "Flips: choices on held-out text that change when this model's router is rounded."},
      .panels = {panel(trials, 1, true), panel(trials, 5, true), panel(trials, 1, false),
                 panel(trials, 5, false)},
      .columns = 2};
}

}  // namespace moe::session1
