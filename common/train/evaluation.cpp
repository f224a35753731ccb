#include "common/train/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/train/batch_tensors.hpp"

namespace moe {
namespace {

void count_assignments(Evaluation& evaluation, const MetricSink& sink, std::size_t domain,
                       std::size_t domains) {
  for (const MetricSink::Item& item : sink.items) {
    if (item.name != "load") continue;
    const auto offset = values_of<std::int32_t>(item.tensor);
    const auto layer = static_cast<std::size_t>(item.layer);
    if (evaluation.expert_domain.size() <= layer) evaluation.expert_domain.resize(layer + 1);
    auto& counts = evaluation.expert_domain[layer];
    counts.resize(offset.size() - 1, std::vector<double>(domains));
    for (std::size_t e = 0; e + 1 < offset.size(); ++e) counts[e][domain] += offset[e + 1] - offset[e];
  }
}

// Sum of the rows' losses, in nats.
double forward_loss(Context& ctx, LanguageModel& model, const Batch& batch, MetricSink& sink) {
  const BatchTensors b = to_device(ctx, batch);
  ForwardContext f{.ctx = ctx, .tokens = &b.tokens, .metrics = &sink};
  const Tensor rows = ops::row_losses(ctx, model.forward(f).tensor, b.target);
  double sum = 0;
  dispatch(rows.dtype(), [&]<class T>(T) {
    for (const T loss : values_of<T>(rows)) sum += static_cast<double>(loss);
  });
  return sum;
}

}  // namespace

HeldOut::HeldOut(const Corpus& corpus, std::int64_t sequences, std::int64_t length,
                 std::int64_t tokens_per_domain) {
  for (std::size_t d = 0; d < corpus.domains.size(); ++d)
    batches_.push_back(held_out_batches(corpus, d, sequences, length, tokens_per_domain));
}

Evaluation HeldOut::evaluate(Context& ctx, LanguageModel& model) const {
  Evaluation evaluation;
  for (std::size_t d = 0; d < batches_.size(); ++d) {
    double nats = 0, bytes = 0;
    for (const Batch& batch : batches_[d]) {
      MetricSink sink;
      nats += forward_loss(ctx, model, batch, sink);
      bytes += static_cast<double>(batch.target_bytes);
      count_assignments(evaluation, sink, d, batches_.size());
    }
    evaluation.domain_bits.push_back(nats / (std::numbers::ln2 * bytes));
    evaluation.bits_per_byte += evaluation.domain_bits.back() / static_cast<double>(batches_.size());
  }
  return evaluation;
}

double mutual_information(const std::vector<std::vector<double>>& counts) {
  double total = 0;
  std::vector<double> row(counts.size()), column(counts.empty() ? 0 : counts[0].size());
  for (std::size_t e = 0; e < counts.size(); ++e)
    for (std::size_t d = 0; d < column.size(); ++d) {
      row[e] += counts[e][d];
      column[d] += counts[e][d];
      total += counts[e][d];
    }
  double information = 0;
  for (std::size_t e = 0; e < counts.size(); ++e)
    for (std::size_t d = 0; d < column.size(); ++d)
      if (counts[e][d] > 0)
        information += counts[e][d] / total * std::log(counts[e][d] * total / (row[e] * column[d]));
  return std::max(0.0, information);
}

}  // namespace moe
