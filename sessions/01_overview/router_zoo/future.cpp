#include "sessions/01_overview/router_zoo/future.hpp"

#include <cmath>

namespace moe::session1 {
namespace {

constexpr std::int64_t kParts = 8;  // of a sequence: predictions at the ends of the first seven are compared
constexpr double kMoved = 1e-4;     // nats; rounding alone moves a loss by some 1e-6

// `batch` with the ids of `other` behind position `last`, in sequences from `first_sequence` on.
Batch with_other_future(const Batch& batch, const Batch& other, std::int64_t last,
                        std::int64_t first_sequence) {
  Batch changed = batch;
  for (std::int64_t s = first_sequence; s < batch.sequences; ++s)
    for (std::int64_t t = last + 1; t < batch.length; ++t) {
      const auto i = static_cast<std::size_t>(s * batch.length + t);
      changed.id[i] = other.id[i];
    }
  return changed;
}

struct Sums {
  std::int64_t compared = 0, moved = 0, scored = 0;
  double seen = 0, hidden = 0;
};

// One sequence changes, so that what moves in it moves by its own future.
void prefix_test(Sums& sums, Context& ctx, LanguageModel& model, const Batch& batch, const Batch& other,
                 const std::vector<double>& before) {
  const std::int64_t half = batch.length / 2, begin = (batch.sequences - 1) * batch.length;
  const std::vector<double> after =
      row_losses_of(ctx, model, with_other_future(batch, other, half - 1, batch.sequences - 1));
  for (std::int64_t i = begin; i < begin + half; ++i, ++sums.compared)
    sums.moved +=
        !(std::abs(after[static_cast<std::size_t>(i)] - before[static_cast<std::size_t>(i)]) <= kMoved);
}

// All sequences lose their future at once; the predictions just before it are compared.
void hide_future(Sums& sums, Context& ctx, LanguageModel& model, const Batch& batch, const Batch& other,
                 const std::vector<double>& before) {
  for (std::int64_t part = 1; part < kParts; ++part) {
    const std::int64_t last = part * batch.length / kParts - 1;
    if (last < 0) continue;
    const std::vector<double> after = row_losses_of(ctx, model, with_other_future(batch, other, last, 0));
    for (std::int64_t s = 0; s < batch.sequences; ++s, ++sums.scored) {
      const auto i = static_cast<std::size_t>(s * batch.length + last);
      sums.seen += bits_of(before[i], batch);
      sums.hidden += bits_of(after[i], batch);
    }
  }
}

}  // namespace

Leak measure_leak(Context& ctx, LanguageModel& model, const Corpus& corpus, const std::vector<Batch>& batches,
                  std::uint64_t seed) {
  Sums sums;
  for (std::size_t b = 0; b < batches.size(); ++b) {
    const Batch& batch = batches[b];
    const Batch other =
        make_batch(corpus, seed, static_cast<std::uint32_t>(b), batch.sequences, batch.length);
    const std::vector<double> before = row_losses_of(ctx, model, batch);
    prefix_test(sums, ctx, model, batch, other, before);
    hide_future(sums, ctx, model, batch, other, before);
  }
  const auto scored = static_cast<double>(sums.scored);
  return {.moved = static_cast<double>(sums.moved) / static_cast<double>(sums.compared),
          .bits_seen = sums.seen / scored,
          .bits_hidden = sums.hidden / scored};
}

}  // namespace moe::session1
