// Held-out quality, in bits per byte: cross-entropy in nats over ln 2 times the bytes of text predicted. Comparable
// between tokenizers, not between scripts (a Japanese character is three bytes).
#pragma once

#include <vector>

#include "common/data/batch.hpp"
#include "common/nn/language_model.hpp"

namespace moe {

struct Evaluation {
  std::vector<double> domain_bits;  // per domain
  double bits_per_byte = 0;         // mean over domains: each counts alike, whatever its size
  std::vector<std::vector<std::vector<double>>>
      expert_domain;  // [layer][expert][domain]: assignments; empty if dense
};

// Which text is held out, cut into batches once and used at every evaluation.
class HeldOut {
 public:
  HeldOut(const Corpus& corpus, std::int64_t sequences, std::int64_t length, std::int64_t tokens_per_domain);
  Evaluation evaluate(Context& ctx, LanguageModel& model) const;

 private:
  std::vector<std::vector<Batch>> batches_;  // per domain
};

// Mutual information, in nats, of expert and domain under the joint distribution counts[expert][domain]: 0 when experts do
// not care about domains, at most ln(domains).
double mutual_information(const std::vector<std::vector<double>>& counts);

}  // namespace moe
