#include "common/infer/generate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/tensor/host_values.hpp"

namespace moe {
namespace {

struct Pass {
  Tensor logits;  // (n, V)
  std::vector<TracedToken> traced;
};

std::vector<TracedToken> traced_tokens(std::span<const Token> tokens, const MetricSink& sink) {
  std::vector<TracedToken> traced;
  for (const Token t : tokens) traced.push_back({t, {}});
  const Tensor* expert = nullptr;
  for (const MetricSink::Item& item : sink.items) {
    if (item.name == "expert") expert = &item.tensor;
    if (item.name != "weight" || !expert) continue;
    const auto K = static_cast<std::size_t>(expert->width());
    const auto chosen = values_of<std::int32_t>(*expert);
    dispatch(item.tensor.dtype(), [&]<class T>(T) {
      const auto weight = values_of<T>(item.tensor);
      for (std::size_t n = 0; n < tokens.size(); ++n) {
        std::vector<Choice>& choices = traced[n].layers.emplace_back();
        for (std::size_t i = n * K; i < (n + 1) * K; ++i)
          if (chosen[i] >= 0) choices.push_back({chosen[i], static_cast<double>(weight[i])});
      }
    });
  }
  return traced;
}

Pass run(Context& ctx, LanguageModel& model, std::span<const Token> tokens,
         std::vector<ops::KvCache>* caches) {
  const auto n = static_cast<std::int64_t>(tokens.size());
  std::vector<std::int32_t> id(tokens.begin(), tokens.end()), position(tokens.size());
  std::iota(position.begin(), position.end(), caches ? static_cast<std::int32_t>(caches->front().length) : 0);
  const TokenInfo info{.sequences = 1,
                       .length = n,
                       .id = tensor_of(ctx, id, {n}),
                       .position = tensor_of(ctx, position, {n}),
                       .sequence = Tensor::zeros(ctx, DType::i32, {n}),
                       .tag = {}};
  MetricSink sink;
  ForwardContext f{.ctx = ctx, .tokens = &info, .metrics = &sink};
  const Tensor logits = model.forward(f, caches).tensor;
  return {logits, traced_tokens(tokens, sink)};
}

std::vector<double> probabilities(const Tensor& logits, double temperature, std::int64_t vocabulary) {
  std::vector<double> p = host_values(logits.slice_rows(logits.rows() - 1, logits.rows()));
  if (vocabulary > 0) p.resize(std::min(p.size(), static_cast<std::size_t>(vocabulary)));
  const double most = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& x : p) sum += x = std::exp((x - most) / temperature);
  for (double& x : p) x /= sum;
  return p;
}

Token sample(const Tensor& logits, const SampleSettings& s, std::uint64_t index) {
  const std::vector<double> p = probabilities(logits, s.temperature > 0 ? s.temperature : 1, s.vocabulary);
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] > p[b]; });
  if (s.temperature <= 0) return static_cast<Token>(order[0]);
  double kept = 0;
  std::size_t n = 0;
  while (n < order.size() && kept < s.top_p) kept += p[order[n++]];
  double left = uniform({.seed = s.seed, .purpose = Purpose::sample}, index) * kept;
  for (std::size_t i = 0; i < n; ++i)
    if ((left -= p[order[i]]) < 0) return static_cast<Token>(order[i]);
  return static_cast<Token>(order[n - 1]);
}

}  // namespace

void generate(Context& ctx, LanguageModel& model, std::span<const Token> prompt, const SampleSettings& s,
              const std::function<bool(const TracedToken&)>& on_token) {
  MOE_CHECK(!prompt.empty(), "a prompt has at least one token");
  const auto context = static_cast<std::size_t>(model.config().context);
  const std::size_t kept = std::max<std::size_t>(1, context - 1),
                    half = std::max<std::size_t>(1, context / 2);
  std::vector<Token> text(prompt.end() - static_cast<std::ptrdiff_t>(std::min(prompt.size(), kept)),
                          prompt.end());
  // No more than will be read: contexts of others are long, 131,072 positions and more.
  const std::size_t most = std::min(context, text.size() + static_cast<std::size_t>(s.tokens));
  std::vector<ops::KvCache> caches = model.make_caches(ctx, static_cast<std::int64_t>(most));
  std::size_t read = 0, shown = 0;  // of text: in the cache; given to on_token
  for (std::int64_t made = 0;; ++made) {
    if (text.size() > context) {  // read the last half again, without showing it twice
      text.erase(text.begin(), text.end() - static_cast<std::ptrdiff_t>(half));
      for (ops::KvCache& cache : caches) cache.length = 0;
      read = 0;
      shown = text.size() - 1;
    }
    const Pass pass = run(ctx, model, std::span(text).subspan(read), &caches);
    for (std::size_t i = std::max(shown, read); i < text.size(); ++i)
      if (!on_token(pass.traced[i - read])) return;
    read = shown = text.size();
    if (made >= s.tokens) return;
    text.push_back(sample(pass.logits, s, static_cast<std::uint64_t>(made)));
    if (made + 1 == s.tokens) {
      on_token({text.back(), {}});
      return;
    }
  }
}

std::vector<TracedToken> trace_text(Context& ctx, LanguageModel& model, std::span<const Token> text) {
  std::vector<TracedToken> traced;
  const auto window = static_cast<std::size_t>(model.config().context);
  for (std::size_t begin = 0; begin < text.size(); begin += window) {
    const Pass pass = run(ctx, model, text.subspan(begin, std::min(window, text.size() - begin)), nullptr);
    traced.insert(traced.end(), pass.traced.begin(), pass.traced.end());
  }
  return traced;
}

}  // namespace moe
