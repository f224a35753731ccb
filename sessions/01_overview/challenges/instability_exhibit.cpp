#include <algorithm>

#include "common/app/format.hpp"
#include "sessions/01_overview/challenges/instability.hpp"
#include "sessions/01_overview/experiment/statistics.hpp"

namespace moe::session1 {
namespace {

std::string percent(double x) {
  return std::isfinite(x) ? format_percent(x, 2) : "";
}

Table table_of(const std::vector<StabilityTrial>& trials) {
  Table table({{"learning rate", Align::left},
               {"router", Align::left},
               {"z-loss", Align::left},
               {"bits/byte"},
               {"logsumexp"},
               {"largest gradient"},
               {"bf16 flips"},
               {"3 bits flip"}});
  for (const StabilityTrial& t : trials) {
    if (&t != &trials[0] && t.factor != (&t)[-1].factor) table.rule();
    table.row({concat("× ", t.factor), t.precision.name, t.z > 0 ? "yes" : "",
               t.diverged ? concat("diverged at ", t.diverged) : format_fixed(t.bits, 3),
               t.logsumexp.empty() ? "" : format_fixed(t.logsumexp.back(), 2),
               format_fixed(t.largest_gradient, 1), percent(t.bf16_flips), percent(t.coarse_flips)});
  }
  return table;
}

LinePlot empty_panel(double factor, const char* y_label) {
  return {.title = concat("learning rate × ", factor),
          .x_label = "step",
          .y_label = y_label,
          .series = {},
          .width = 480,
          .height = 360};
}

Series series_of(const StabilityTrial& t, std::vector<double> y) {
  const auto at = std::ranges::find(kPrecisions, t.precision.bits, &Precision::bits);
  return {.label = concat(t.precision.name, t.z > 0 ? " + z" : ""),
          .x = {t.step.begin(), t.step.begin() + static_cast<std::ptrdiff_t>(y.size())},
          .y = std::move(y),
          .colour = static_cast<int>(at - kPrecisions),
          .dashed = t.z > 0};
}

LinePlot logit_panel(const std::vector<StabilityTrial>& trials, double factor) {
  LinePlot plot = empty_panel(factor, "logsumexp, rms");
  for (const StabilityTrial& t : trials)
    if (t.factor == factor) plot.series.push_back(series_of(t, t.logsumexp));
  return plot;
}

// The loss of each, less that of the f32 router without a z-loss on the same batch: most of a batch's loss is its text.
LinePlot loss_panel(const std::vector<StabilityTrial>& trials, double factor) {
  LinePlot plot = empty_panel(factor, "loss - loss of f32, nats");
  const StabilityTrial* reference = nullptr;
  for (const StabilityTrial& t : trials) {
    if (t.factor != factor) continue;
    if (!reference) reference = &t;
    std::vector<double> y;
    for (std::size_t i = 0; i < std::min(t.loss.size(), reference->loss.size()); ++i)
      y.push_back(t.loss[i] - reference->loss[i]);
    plot.series.push_back(series_of(t, smoothed(y, 41)));
  }
  return plot;
}

// The widest gap between precisions at one learning rate without a z-loss.
std::string what_precision_does(const std::vector<StabilityTrial>& trials, double factor) {
  double least = INFINITY, most = -INFINITY;
  std::int64_t diverged = 0;
  for (const StabilityTrial& t : trials)
    if (t.factor == factor && t.z == 0) {
      diverged += t.diverged > 0;
      if (t.diverged == 0) least = std::min(least, t.bits), most = std::max(most, t.bits);
    }
  std::string text = concat("At learning rate × ", factor, " without a z-loss ");
  if (diverged > 0)
    text += concat(diverged, " of ", std::size(kPrecisions), " routers diverged; of the others ");
  return text + concat("the precisions lie ", format_fixed(std::max(0.0, most - least), 3),
                       " bits per byte apart",
                       most - least < 2 * kSeedDeviation ? ": no more than the noise between seeds." : ".");
}

}  // namespace

Exhibit instability_exhibit(const std::vector<StabilityTrial>& trials) {
  return Exhibit{
      .name = "instability",
      .table = table_of(trials),
      .sentences = {what_precision_does(trials, 1), what_precision_does(trials, 5),
                    "Flips: choices on held-out text that change when this model's router is rounded."},
      .panels = {logit_panel(trials, 1), logit_panel(trials, 5), loss_panel(trials, 1),
                 loss_panel(trials, 5)},
      .columns = 2};
}

}  // namespace moe::session1
