#include "sessions/01_overview/router_zoo/zoo.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sessions/01_overview/experiment/names.hpp"

namespace moe::session1 {
namespace {

constexpr std::int64_t kHeldOutBatches = 12;
constexpr std::uint64_t kOtherText =
    1000;  // added to the seed: text that the model has not just been trained on

// Mean of a number of metrics.jsonl over the last fifth of training; NaN where no line has it.
double late_mean(const std::vector<MetricRecord>& metrics, const char* key, double power = 1) {
  const auto [steps, values] = curve_of(metrics, "step", key);
  double sum = 0;
  int count = 0;
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (steps[i] > 0.8 * steps.back() && std::isfinite(values[i])) {
      sum += std::pow(values[i], power);
      ++count;
    }
  return count ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

// What held-out batches of the training's size do to the load.
void measure_load(ZooRun& run, Context& ctx, LanguageModel& model, const std::vector<Batch>& batches) {
  std::vector<double> load;
  for (const Batch& batch : batches) {
    MetricSink sink;
    row_losses_of(ctx, model, batch, &sink);
    const auto layers = load_metrics_by_layer(sink);
    run.held_out_violation += summarise(layers).max_violation / static_cast<double>(batches.size());
    for (const auto& [layer, m] : layers)
      for (const std::int64_t l : m.load)
        run.experts_per_token += static_cast<double>(l) / static_cast<double>(batch.tokens()) /
                                 static_cast<double>(layers.size() * batches.size());
    const std::vector<std::int64_t>& last = layers.rbegin()->second.load;
    load.resize(last.size());
    for (std::size_t e = 0; e < last.size(); ++e) load[e] += static_cast<double>(last[e]);
  }
  double sum = 0;
  for (const double l : load) sum += l;
  for (double& l : load) l *= sum > 0 ? static_cast<double>(load.size()) / sum : 0;
  std::ranges::sort(load, std::greater<>());
  run.load = load;
}

}  // namespace

std::vector<const RouterRow*> chosen_routers(const std::string& names) {
  return chosen_by_name(router_table(), names, "--routers");
}

std::optional<ZooRun> run_router(const RouterRow& row, const LmOptions& asked, const Corpus& corpus,
                                 std::uint64_t seed) {
  LmOptions o = asked;
  o.train.seed = seed;
  o.model.moe.router = row.name;
  o.model.moe.slots = std::max<std::int64_t>(1, o.train.length * o.model.moe.top_k / o.model.moe.experts);
  const std::unique_ptr<Context> ctx = make_context(o);
  Trainer trainer(*ctx, o.model, o.train, corpus);
  if (!o.quiet) std::fprintf(stderr, "%s, seed %llu\n", row.name, static_cast<unsigned long long>(seed));
  const std::optional<LmRun> trained =
      train_lm(trainer, corpus, o, std::filesystem::path(o.out) / concat(row.name, "_", seed));
  if (!trained) return std::nullopt;
  ZooRun run{.bits = trained->result.evaluation.bits_per_byte,
             .cv2 = late_mean(trained->metrics, "load_cv", 2),
             .max_violation = late_mean(trained->metrics, "max_violation"),
             .dropped = late_mean(trained->metrics, "dropped"),
             .entropy = late_mean(trained->metrics, "entropy"),
             .tokens_per_second = trained->tokens_per_second};
  const std::vector<Batch> batches =
      mixed_held_out(corpus, o.train.sequences, o.train.length, kHeldOutBatches);
  measure_load(run, *ctx, trainer.model(), batches);
  run.leak = measure_leak(*ctx, trainer.model(), corpus, batches, seed + kOtherText);
  return run;
}

}  // namespace moe::session1
