#include "sessions/01_overview/experiment/mixed_text.hpp"

#include <numbers>

#include "common/train/batch_tensors.hpp"

namespace moe::session1 {
namespace {

// `one` is a batch of one sequence.
void append_sequence(Batch& batch, const Batch& one) {
  const auto sequence = static_cast<std::int32_t>(batch.domain.size());
  batch.id.insert(batch.id.end(), one.id.begin(), one.id.end());
  batch.target.insert(batch.target.end(), one.target.begin(), one.target.end());
  batch.position.insert(batch.position.end(), one.position.begin(), one.position.end());
  batch.sequence.insert(batch.sequence.end(), one.id.size(), sequence);
  batch.domain.push_back(one.domain[0]);
  batch.target_bytes += one.target_bytes;
}

}  // namespace

std::vector<Batch> mixed_held_out(const Corpus& corpus, std::int64_t sequences, std::int64_t length,
                                  std::int64_t count) {
  const auto domains = static_cast<std::int64_t>(corpus.domains.size());
  const std::int64_t each = (sequences * count + domains - 1) / domains;
  std::vector<std::vector<Batch>> windows;
  for (std::int64_t d = 0; d < domains; ++d)
    windows.push_back(held_out_batches(corpus, static_cast<std::size_t>(d), 1, length, each * length));
  std::vector<Batch> batches;
  for (std::int64_t i = 0; i < sequences * count; ++i) {
    if (i % sequences == 0) {
      Batch batch;
      batch.sequences = sequences, batch.length = length, batch.first_token = i * length;
      batches.push_back(std::move(batch));
    }
    const std::vector<Batch>& domain = windows[static_cast<std::size_t>(i % domains)];
    append_sequence(batches.back(), domain[static_cast<std::size_t>(i / domains) % domain.size()]);
  }
  return batches;
}

std::vector<double> row_losses_of(Context& ctx, LanguageModel& model, const Batch& batch,
                                  MetricSink* metrics) {
  const BatchTensors b = to_device(ctx, batch);
  ForwardContext f{.ctx = ctx, .tokens = &b.tokens, .metrics = metrics};
  const Tensor rows = ops::row_losses(ctx, model.forward(f).tensor, b.target);
  std::vector<double> losses;
  dispatch(rows.dtype(), [&]<class T>(T) {
    const auto values = values_of<T>(rows);
    losses.assign(values.begin(), values.end());
  });
  return losses;
}

double bits_of(double nats_per_token, const Batch& batch) {
  return nats_per_token * static_cast<double>(batch.tokens()) /
         (std::numbers::ln2 * static_cast<double>(batch.target_bytes));
}

}  // namespace moe::session1
