// Held-out text as training sees text: batches whose sequences come from all domains in turn. A router that looks at the whole
// batch would meet another mixture in batches of one domain.
#pragma once

#include <vector>

#include "common/data/batch.hpp"
#include "common/nn/language_model.hpp"

namespace moe::session1 {

// `count` batches of `sequences` windows that do not overlap; a domain with too little text repeats it.
std::vector<Batch> mixed_held_out(const Corpus& corpus, std::int64_t sequences, std::int64_t length,
                                  std::int64_t count);

// The loss of each token's prediction, in nats: (N), in the batch's order.
std::vector<double> row_losses_of(Context& ctx, LanguageModel& model, const Batch& batch,
                                  MetricSink* metrics = nullptr);

// Nats a token in bits a byte, as the batch's text has them.
double bits_of(double nats_per_token, const Batch& batch);

}  // namespace moe::session1
