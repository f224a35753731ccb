// Language models that were published, counted with our own formulas (common/nn/cost.hpp) from their shapes. What our model
// does not have is counted here, one correction a line.
#pragma once

#include <string>
#include <vector>

#include "common/nn/cost.hpp"

namespace moe::session1 {

struct PublishedModel {
  std::string name;
  CostParts parts;
  std::string published;            // "46.7B / 12.9B": total / active, as its authors say; "": ours
  std::string source;               // the paper, or the file, that says so
  std::vector<std::string> unlike;  // what differs from our model, corrected for in `parts`
};

// GPT-2 small, Llama 2 7B, Mixtral 8x7B, OLMoE-1B-7B, Qwen3-30B-A3B, DeepSeek-V3, then the demo's pair. FLOPs are for the
// mean token of a context of `context` tokens, whatever the model's own limit is; for the pair, of the demo's own context.
std::vector<PublishedModel> published_models(std::int64_t context);

CostPart sum_of(const CostParts& parts);

}  // namespace moe::session1
