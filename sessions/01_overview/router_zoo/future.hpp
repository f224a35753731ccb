// Does a language model read the future? A router that compares the tokens of a batch lets later ones decide where earlier
// ones go, attention's mask notwithstanding.
#pragma once

#include "common/nn/language_model.hpp"
#include "sessions/01_overview/experiment/mixed_text.hpp"

namespace moe::session1 {

struct Leak {
  // The prefix test: of the predictions in the first half of a batch's last sequence, the fraction that moves when the second
  // half is replaced by other text. 0: causal.
  double moved = 0;
  // What the future is worth: bits per byte of the same predictions when their own future stands behind them, and when other
  // text does, which is all that a model has that writes.
  double bits_seen = 0, bits_hidden = 0;
};

// The other text is training text drawn from `seed`. Costs eight forward passes over the batches.
Leak measure_leak(Context& ctx, LanguageModel& model, const Corpus& corpus, const std::vector<Batch>& batches,
                  std::uint64_t seed);

}  // namespace moe::session1
