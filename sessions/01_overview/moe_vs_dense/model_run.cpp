#include "sessions/01_overview/moe_vs_dense/model_run.hpp"

#include <cstdio>

#include "common/infer/generate.hpp"
#include "common/report/chrome_trace.hpp"
#include "common/report/write_file.hpp"

namespace moe::session1 {
namespace {

constexpr std::size_t kPassage = 480, kPrompt = 48;
constexpr int kTracedSteps = 20;

// A passage from the middle of the held-out text; it begins with a line where one begins soon and the text is long enough.
std::vector<Token> passage(const std::vector<Token>& text, std::size_t length) {
  std::size_t begin = text.size() / 2;
  for (std::size_t i = begin; i < begin + 200 && i + 1 + length <= text.size(); ++i)
    if (text[i] == '\n') {
      begin = i + 1;
      break;
    }
  return {text.begin() + static_cast<std::ptrdiff_t>(begin),
          text.begin() + static_cast<std::ptrdiff_t>(std::min(text.size(), begin + length))};
}

Sample continue_passage(Context& ctx, LanguageModel& model, const Domain& domain, const Corpus& corpus,
                        std::int64_t tokens) {
  std::vector<Token> prompt = passage(domain.held_out, kPrompt);
  while (prompt.size() > kPrompt / 2 && prompt.back() != ' ')
    prompt.pop_back();  // models guess better from a word boundary
  if (!prompt.empty() && prompt.back() == ' ') prompt.pop_back();
  std::vector<Token> made;
  std::size_t seen = 0;
  generate(ctx, model, prompt, {.tokens = tokens}, [&](const TracedToken& t) {
    if (seen++ >= prompt.size()) made.push_back(t.token);
    return true;
  });
  return {domain.name, corpus.tokenizer->decode(prompt), corpus.tokenizer->decode(made)};
}

RoutedText route_passage(Context& ctx, LanguageModel& model, const Domain& domain, const Corpus& corpus) {
  RoutedText text{domain.name, {}};
  for (const TracedToken& t : trace_text(ctx, model, passage(domain.held_out, kPassage)))
    text.tokens.push_back(routed_token(*corpus.tokenizer, t));
  return text;
}

void trace_steps(Trainer& trainer, const std::filesystem::path& file) {
  Profiler profiler(true);
  trainer.context().profiler = &profiler;
  for (int i = 0; i < kTracedSteps && !trainer.finished(); ++i) trainer.step(false);
  trainer.context().profiler = nullptr;
  write_file(file.string(), chrome_trace(profiler.events()));
}

}  // namespace

std::optional<ModelRun> run_model(const std::string& name, const LanguageModelConfig& config,
                                  const std::filesystem::path& directory, const Options& o,
                                  const Corpus& corpus) {
  const std::unique_ptr<Context> owner = make_context(o);
  Context& ctx = *owner;
  if (o.trace) {  // a trainer of its own: tracing must not change what the run does
    std::filesystem::create_directories(directory);
    Trainer traced(ctx, config, o.train, corpus);
    trace_steps(traced, directory / "trace.json");
  }
  Trainer trainer(ctx, config, o.train, corpus);
  if (!o.quiet) std::fprintf(stderr, "%s\n", name.c_str());
  ModelRun run{.name = name, .config = config, .cost = cost_of(config)};
  std::optional<LmRun> trained = train_lm(trainer, corpus, o, directory, o.resume);
  if (!trained) return std::nullopt;
  static_cast<LmRun&>(run) = std::move(*trained);
  for (const Domain& domain : corpus.domains) {
    run.samples.push_back(continue_passage(ctx, trainer.model(), domain, corpus, o.sample_tokens));
    if (config.moe.experts > 0) run.routed.push_back(route_passage(ctx, trainer.model(), domain, corpus));
  }
  return run;
}

}  // namespace moe::session1
