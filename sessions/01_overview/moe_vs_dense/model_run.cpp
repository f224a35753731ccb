#include "sessions/01_overview/moe_vs_dense/model_run.hpp"

#include <cstdio>

#include "common/infer/generate.hpp"
#include "common/report/chrome_trace.hpp"
#include "common/report/write_file.hpp"

namespace moe::session1 {
namespace {

constexpr std::int64_t kPassage = 480, kPrompt = 48;  // bytes
constexpr int kTracedSteps = 20;

// The tokens of the first `bytes` bytes from text[begin] on, or of a few more, or what there is.
std::span<const Token> piece(std::span<const Token> text, std::size_t begin, const Tokenizer& tokenizer,
                             std::int64_t bytes) {
  std::size_t end = begin;
  for (; end < text.size() && bytes > 0; ++end) bytes -= tokenizer.byte_count(text[end]);
  return text.subspan(begin, end - begin);
}

bool begins_with_space(const Tokenizer& tokenizer, Token token) {
  return tokenizer.decode({&token, 1}).starts_with(' ');
}

Sample continue_passage(Context& ctx, LanguageModel& model, const Domain& domain, const Corpus& corpus,
                        std::int64_t tokens) {
  const Tokenizer& tokenizer = *corpus.tokenizer;
  std::vector<Token> prompt = passage(domain.held_out, tokenizer, kPrompt);
  const std::size_t least = std::max<std::size_t>(1, prompt.size() / 2);
  const auto at_word = [&] { return begins_with_space(tokenizer, prompt.back()); };
  while (prompt.size() > least && !at_word()) prompt.pop_back();  // models guess better from a word boundary
  if (prompt.size() > 1 && at_word()) prompt.pop_back();
  std::vector<Token> made;
  std::size_t seen = 0;
  generate(ctx, model, prompt, {.tokens = tokens}, [&](const TracedToken& t) {
    if (seen++ >= prompt.size()) made.push_back(t.token);
    return true;
  });
  return {domain.name, tokenizer.decode(prompt), tokenizer.decode(made)};
}

RoutedText route_passage(Context& ctx, LanguageModel& model, const Domain& domain, const Corpus& corpus) {
  RoutedText text{domain.name, {}};
  for (const TracedToken& t : trace_text(ctx, model, passage(domain.held_out, *corpus.tokenizer, kPassage)))
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

std::vector<Token> passage(std::span<const Token> text, const Tokenizer& tokenizer, std::int64_t bytes) {
  std::size_t begin = text.size() / 2;
  const auto is_long_enough = [&](std::size_t from) {
    std::int64_t left = bytes;
    for (std::size_t i = from; i < text.size() && left > 0; ++i) left -= tokenizer.byte_count(text[i]);
    return left <= 0;
  };
  for (std::size_t i = begin; i < std::min(text.size(), begin + 200); ++i)
    if (tokenizer.decode({&text[i], 1}).ends_with('\n')) {
      if (is_long_enough(i + 1)) begin = i + 1;
      break;
    }
  const auto tokens = piece(text, begin, tokenizer, bytes);
  return {tokens.begin(), tokens.end()};
}

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
