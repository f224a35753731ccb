#include "sessions/01_overview/experiment/lm_run.hpp"

#include <cstdio>

namespace moe::session1 {

std::optional<LmRun> train_lm(Trainer& trainer, const Corpus& corpus, const LmOptions& o,
                              const std::filesystem::path& directory, bool resume, std::int64_t log_every) {
  const TrainSettings& t = trainer.settings();
  const HeldOut held_out(corpus, 16, trainer.model().config().context, o.held_out_tokens);
  LmRun run;
  run.result = train_run(trainer, held_out,
                         {.directory = directory,
                          .resume = resume,
                          .quiet = o.quiet,
                          .log_every = log_every,
                          .evaluations = o.evaluations});
  if (!run.result.finished) return std::nullopt;
  run.metrics = read_metrics((directory / "metrics.jsonl").string());
  run.tokens_per_second = static_cast<double>(t.steps * t.sequences * t.length) / run.result.seconds;
  return run;
}

std::optional<LmRun> train_named(const std::string& name, const LanguageModelConfig& config,
                                 const LmOptions& o, const Corpus& corpus, std::int64_t log_every) {
  if (!o.quiet) std::fprintf(stderr, "%s\n", name.c_str());
  const std::unique_ptr<Context> ctx = make_context(o);
  Trainer trainer(*ctx, config, o.train, corpus);
  return train_lm(trainer, corpus, o, std::filesystem::path(o.out) / name, false, log_every);
}

}  // namespace moe::session1
