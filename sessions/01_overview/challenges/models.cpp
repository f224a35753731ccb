#include "sessions/01_overview/challenges/models.hpp"

#include <cstdio>
#include <map>

#include "common/app/format.hpp"
#include "common/app/interrupt.hpp"
#include "common/app/progress.hpp"

namespace moe::session1 {

std::optional<TrainedModel> train_model(const std::string& name, const LanguageModelConfig& config,
                                        const LmOptions& o, const Corpus& corpus, std::int64_t every,
                                        const Watch& watch) {
  if (!o.quiet) std::fprintf(stderr, "%s\n", name.c_str());
  TrainedModel trained{make_context(o), nullptr};
  trained.trainer = std::make_unique<Trainer>(*trained.ctx, config, o.train, corpus);
  if (watch) watch(trained, nullptr);
  Progress progress(o.train.steps, {.quiet = o.quiet});
  while (!trained.trainer->finished()) {
    if (interrupted()) return std::nullopt;
    const std::int64_t next = trained.trainer->steps_done() + 1;
    const bool watched = watch && every > 0 && (next % every == 0 || next == o.train.steps);
    const bool shown = watched || next == o.train.steps || next % 20 == 0;
    const std::optional<StepReport> report = trained.trainer->step(shown);
    if (report) progress.update(report->step, {"loss " + format_fixed(report->loss, 3)});
    if (watched) watch(trained, &*report);
  }
  return trained;
}

double held_out_bits(Context& ctx, LanguageModel& model, const LmOptions& o, const Corpus& corpus) {
  return HeldOut(corpus, 16, model.config().context, o.held_out_tokens).evaluate(ctx, model).bits_per_byte;
}

std::unique_ptr<LanguageModel> with_config(Context& ctx, LanguageModel& model,
                                           const LanguageModelConfig& config) {
  auto other = std::make_unique<LanguageModel>(ctx, config);
  std::map<std::string, Tensor> values;
  model.visit([&](const std::string& name, Parameter& p) { values[name] = p.value; });
  other->visit([&](const std::string& name, Parameter& p) {
    MOE_CHECK(values.contains(name) && values[name].shape() == p.value.shape(), name);
    p.value.copy_from(values[name]);
  });
  return other;
}

}  // namespace moe::session1
