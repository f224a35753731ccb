#include "sessions/01_overview/routing/gates.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "common/infer/generate.hpp"
#include "common/train/batch_tensors.hpp"
#include "common/train/evaluation.hpp"

namespace moe::session1 {
namespace {

using Counts = std::vector<std::vector<double>>;  // [expert][byte or domain]

double sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

std::size_t first_byte(const Tokenizer& tokenizer, Token token) {
  const std::string bytes = tokenizer.decode({&token, 1});
  return bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]);
}

std::string shown(int byte) {
  if (byte == '\n') return "'\\n'";
  if (byte == ' ') return "space";
  if (byte > ' ' && byte < 127) return concat("'", static_cast<char>(byte), "'");
  constexpr const char* kHex = "0123456789abcdef";
  return concat(kHex[byte / 16], kHex[byte % 16], "h");  // a part of a longer character
}

// The bytes that say most about being with this expert: count·log(count / expected count).
std::string telling_bytes(const Counts& counts, std::size_t expert) {
  std::vector<double> everywhere(256);
  for (const std::vector<double>& row : counts)
    for (std::size_t b = 0; b < row.size(); ++b) everywhere[b] += row[b];
  const std::vector<double>& here = counts[expert];
  const double part = sum(here) / std::max(1.0, sum(everywhere));
  std::array<int, 256> order;
  std::iota(order.begin(), order.end(), 0);
  const auto surprise = [&](int b) {
    const auto i = static_cast<std::size_t>(b);
    return here[i] > 0 ? here[i] * std::log(here[i] / (everywhere[i] * part)) : 0.0;
  };
  std::ranges::stable_sort(order, std::greater<>(), surprise);
  std::string text;
  for (std::size_t i = 0; i < 6 && surprise(order[i]) > 0; ++i) text += concat(i ? " " : "", shown(order[i]));
  return text;
}

}  // namespace

std::unique_ptr<LanguageModel> rerouted(Context& ctx, LanguageModel& model, const MoeConfig& moe) {
  LanguageModelConfig config = model.config();
  config.moe = moe;
  auto other = std::make_unique<LanguageModel>(ctx, config);
  std::vector<Tensor> values;
  model.visit([&](const std::string&, Parameter& p) { values.push_back(p.value); });
  std::size_t i = 0;
  other->visit([&](const std::string&, Parameter& p) { p.value.copy_from(values.at(i++)); });
  return other;
}

GateForms compare_gate_forms(Context& ctx, const Tensor& p, std::int64_t K) {
  ForwardContext f{.ctx = ctx};
  const ops::TopK raw = ops::top_k_gate(f, p, K, false), renormalised = ops::top_k_gate(f, p, K, true);
  const auto gate = values_of<float>(raw.weight.tensor),
             divided = values_of<float>(renormalised.weight.tensor);
  std::vector<float> score;  // what softmax began with, up to a constant that it ignores
  for (const float g : gate) score.push_back(std::log(g));
  const auto after =
      values_of<float>(ops::softmax(f, tensor_of(ctx, score, {p.rows(), K})).probability.tensor);
  GateForms forms;
  for (std::int64_t n = 0; n < p.rows(); ++n) {
    double sum = 0;
    for (std::int64_t i = n * K; i < (n + 1) * K; ++i) {
      sum += gate[i];
      forms.difference = std::max(forms.difference, std::abs(static_cast<double>(divided[i]) - after[i]));
    }
    forms.least = std::min(forms.least, sum);
    forms.most = std::max(forms.most, sum);
    forms.mean += sum / static_cast<double>(p.rows());
  }
  return forms;
}

Tensor held_out_probabilities(Context& ctx, LanguageModel& model, const Corpus& corpus, int layer) {
  std::vector<float> all;
  std::int64_t E = 1;
  for (std::size_t d = 0; d < corpus.domains.size(); ++d) {
    const std::int64_t T = model.config().context;
    const BatchTensors b = to_device(ctx, held_out_batches(corpus, d, 16, T, 16 * T).front());
    MetricSink sink;
    ForwardContext f{.ctx = ctx, .tokens = &b.tokens, .metrics = &sink};
    model.forward(f);
    for (const MetricSink::Item& item : sink.items)
      if (item.name == "probability" && item.layer == layer) {
        const auto p = values_of<float>(item.tensor);
        E = item.tensor.width();
        all.insert(all.end(), p.begin(), p.end());
      }
  }
  return tensor_of(ctx, all, {static_cast<std::int64_t>(all.size()) / E, E});
}

Reading read_held_out(Context& ctx, LanguageModel& model, const Corpus& corpus, std::size_t layer,
                      std::int64_t tokens_per_domain) {
  const auto E = static_cast<std::size_t>(model.config().moe.experts);
  const std::size_t domains = corpus.domains.size();
  Counts byte(E, std::vector<double>(256)), domain(E, std::vector<double>(domains));
  for (std::size_t d = 0; d < domains; ++d) {
    const auto count = [&](const TracedToken& t, std::size_t expert) {
      domain[expert][d] += 1;
      byte[expert][first_byte(*corpus.tokenizer, t.token)] += 1;
    };
    for (const Batch& window : held_out_batches(corpus, d, 1, model.config().context, tokens_per_domain)) {
      const std::vector<Token> text(window.id.begin(), window.id.end());
      for (const TracedToken& t : trace_text(ctx, model, text))
        for (const Choice& choice : t.layers.at(layer)) count(t, static_cast<std::size_t>(choice.expert));
    }
  }
  Reading reading{{}, mutual_information(domain), mutual_information(byte)};
  for (std::size_t d = 0; d < domains; ++d) {
    Reader r{.domain = corpus.domains[d].name};
    for (std::size_t e = 0; e < E; ++e) {
      const double share = domain[e][d] / std::max(1.0, sum(domain[e]));
      if (share > r.share) r.share = share, r.expert = e;
    }
    r.bytes = telling_bytes(byte, r.expert);
    reading.readers.push_back(std::move(r));
  }
  return reading;
}

}  // namespace moe::session1
